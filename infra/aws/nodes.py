"""Nodes: a Fargate service for each role, behind a load balancer of HTTPS and one of syslog and OTLP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_logs as logs

from .image import image
from .options import Options
from .storage import Storage

HTTP, SYSLOG, OTLP = 8080, 6514, 4317
UID = "10001"
_ALIVE = (
    f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{HTTP}/healthz', timeout=4)"  # the image's own
)
# A rule takes five patterns.
INGEST_PATHS = (
    ("/api/v1/logs", "/_bulk", "/*/_bulk", "/loki/api/v1/push", "/v1/logs"),
    ("/services/collector*", "/api/v2/logs", "/gelf", "/aws/firehose"),
)


@dataclass(frozen=True, slots=True)
class Nodes:
    """The services by role, and what leads to them."""

    services: dict[str, Any]
    https: Any
    streams: Any
    targets: dict[str, Any]


def nodes(stack: Any, vpc: Any, storage: Storage, options: Options) -> Nodes:
    """The services, and both load balancers."""
    cluster = ecs.Cluster(stack, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
    sizes = {"ingest": (2048, 4096, options.ingest_nodes), "query": (2048, 8192, options.query_nodes)}
    if options.jobs == "nodes":
        sizes["worker"] = (2048, 8192, (2, 2))
    services = {
        role: _service(stack, cluster, storage, options, role, cpu, memory, least)
        for role, (cpu, memory, (least, _)) in sizes.items()
    }
    for role, (_, _, (least, most)) in sizes.items():
        if most > least:
            scaling = services[role].auto_scale_task_count(min_capacity=least, max_capacity=most)
            scaling.scale_on_cpu_utilization(
                "Cpu", target_utilization_percent=60, scale_out_cooldown=Duration.minutes(1)
            )
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", options.certificate_arn)
    https, targets = _https(stack, vpc, storage, options, services, certificate)
    return Nodes(services, https, _streams(stack, vpc, storage, options, services["ingest"], certificate), targets)


def environment(storage: Storage, options: Options) -> dict[str, str]:
    """Settings that nodes and functions have in common."""
    return {
        "CORDWOOD_DATABASE_URL": storage.database_url,
        "CORDWOOD_PUBLIC_URL": f"https://{options.domain}",
        "SEGMENT_BUCKET": storage.segments.bucket_name,
        "AWS_REGION": options.region,
    }


def _service(
    stack: Any, cluster: Any, storage: Storage, options: Options, role: str, cpu: int, memory: int, count: int
) -> Any:
    name = role.capitalize()
    task = ecs.FargateTaskDefinition(
        stack, f"{name}Task", cpu=cpu, memory_limit_mib=memory, ephemeral_storage_gib=40 if role == "query" else 21
    )
    container = task.add_container(
        "cordwood",
        image=ecs.ContainerImage.from_asset(**image(options)),
        command=["up"],
        user=UID,
        readonly_root_filesystem=True,
        stop_timeout=Duration.seconds(30),
        environment={
            **environment(storage, options),
            "CORDWOOD_ROLE": role,
            "CORDWOOD_DRAIN_SECONDS": "15",  # ECS takes it from its targets at the same time
            "CORDWOOD_ADMIN_EMAIL": options.admin_email,
        },
        secrets={
            "PGPASSWORD": ecs.Secret.from_secrets_manager(storage.database_secret, "password"),
            "CORDWOOD_ADMIN_PASSWORD": ecs.Secret.from_secrets_manager(storage.admin_password),
        },
        health_check=ecs.HealthCheck(
            command=["CMD", "python", "-c", _ALIVE],
            interval=Duration.seconds(10),
            timeout=Duration.seconds(5),
            start_period=Duration.seconds(120),
        ),
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix=role,
            log_group=logs.LogGroup(
                stack, f"{name}Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
            ),
        ),
        port_mappings=[
            ecs.PortMapping(container_port=port) for port in ((HTTP, SYSLOG, OTLP) if role == "ingest" else (HTTP,))
        ],
    )
    for volume, path in (("data", "/var/lib/cordwood"), ("tmp", "/tmp")):  # noqa: S108 - of the container alone
        task.add_volume(name=volume)
        container.add_mount_points(ecs.MountPoint(container_path=path, source_volume=volume, read_only=False))
    if role != "ingest":  # what it commits goes to PostgreSQL
        storage.grant(task.task_role, writes=role == "worker")
    service = ecs.FargateService(
        stack,
        f"{name}Nodes",
        cluster=cluster,
        task_definition=task,
        desired_count=count,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        assign_public_ip=False,
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
    )
    storage.database.connections.allow_default_port_from(service)
    return service


def _https(
    stack: Any, vpc: Any, storage: Storage, options: Options, services: dict[str, Any], certificate: Any
) -> tuple[Any, dict[str, Any]]:
    balancer = elb.ApplicationLoadBalancer(
        stack,
        "Https",
        vpc=vpc,
        internet_facing=options.public,
        drop_invalid_header_fields=True,
        deletion_protection=True,
        idle_timeout=Duration.seconds(120),  # a live tail says something every few seconds
    )
    balancer.log_access_logs(storage.access_logs, prefix="https")
    balancer.add_redirect()
    listener = balancer.add_listener(
        "Listener", port=443, certificates=[certificate], ssl_policy=elb.SslPolicy.TLS13_13, open=options.public
    )
    if not options.public:
        listener.connections.allow_default_port_from(ec2.Peer.ipv4(vpc.vpc_cidr_block))
    targets = {
        role: elb.ApplicationTargetGroup(
            stack,
            f"{role.capitalize()}Targets",
            vpc=vpc,
            port=HTTP,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[services[role].load_balancer_target(container_name="cordwood", container_port=HTTP)],
            deregistration_delay=Duration.seconds(15),
            health_check=elb.HealthCheck(
                path="/readyz", interval=Duration.seconds(10), timeout=Duration.seconds(8), healthy_threshold_count=2
            ),
        )
        for role in ("ingest", "query")
    }
    listener.add_target_groups("Default", target_groups=[targets["query"]])
    conditions = [elb.ListenerCondition.host_headers([options.ingest_domain])]
    conditions += [elb.ListenerCondition.path_patterns(list(paths)) for paths in INGEST_PATHS]
    for number, condition in enumerate(conditions):
        listener.add_target_groups(
            f"Ingest{number}", priority=10 * (number + 1), conditions=[condition], target_groups=[targets["ingest"]]
        )
    return balancer, targets


def _streams(stack: Any, vpc: Any, storage: Storage, options: Options, ingest: Any, certificate: Any) -> Any:
    """Syslog and OTLP over TLS, for the networks that may send; TLS ends here."""
    group = ec2.SecurityGroup(stack, "StreamsGroup", vpc=vpc, description="syslog and OTLP", allow_all_outbound=False)
    balancer = elb.NetworkLoadBalancer(
        stack,
        "Streams",
        vpc=vpc,
        internet_facing=False,
        cross_zone_enabled=True,
        deletion_protection=True,
        security_groups=[group],
    )
    balancer.log_access_logs(storage.access_logs, prefix="streams")
    health = elb.HealthCheck(protocol=elb.Protocol.HTTP, port=str(HTTP), path="/readyz", interval=Duration.seconds(10))
    for name, port, alpn in (("Syslog", SYSLOG, None), ("Otlp", OTLP, elb.AlpnPolicy.HTTP2_ONLY)):
        for sender in options.senders:
            group.add_ingress_rule(ec2.Peer.ipv4(sender), ec2.Port.tcp(port), f"{name} from {sender}")
        listener = balancer.add_listener(
            name,
            port=port,
            protocol=elb.Protocol.TLS,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.TLS13_13,
            alpn_policy=alpn,
        )
        listener.add_targets(
            name,
            port=port,
            protocol=elb.Protocol.TCP,
            deregistration_delay=Duration.seconds(15),
            health_check=health,
            targets=[ingest.load_balancer_target(container_name="cordwood", container_port=port)],
        )
        ingest.connections.allow_from(group, ec2.Port.tcp(port))
        group.add_egress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.tcp(port))
    ingest.connections.allow_from(group, ec2.Port.tcp(HTTP))
    group.add_egress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.tcp(HTTP))
    return balancer
