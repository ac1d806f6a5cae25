"""Functions: rounds of a worker's jobs by the clock, and the forwarder of what is on AWS already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sqs as sqs

from .image import image
from .nodes import environment
from .options import Options
from .storage import Storage

ROUND = "cordwood.infra.aws.functions.rounds.handler"
FORWARD = "cordwood.infra.aws.functions.forward.handler"
ENTRYPOINT = ["python", "-m", "awslambdaric"]
# Job: how often, how long at most, MiB of memory.
JOBS = {
    "alerting": (Duration.minutes(1), Duration.minutes(5), 2048),
    "compaction": (Duration.minutes(1), Duration.minutes(15), 6144),
    "deletion": (Duration.minutes(5), Duration.minutes(15), 4096),
    "recordings": (Duration.minutes(1), Duration.minutes(5), 2048),
    "reports": (Duration.minutes(1), Duration.minutes(5), 2048),
    "retention": (Duration.minutes(15), Duration.minutes(15), 4096),
}
_WRITERS = ("compaction", "deletion", "retention")  # of segments; the others only read them
_FORWARD_TIME = Duration.minutes(5)


@dataclass(frozen=True, slots=True)
class Calls:
    """The functions by name, and the queue of S3's notifications with the one of what could not be forwarded."""

    functions: dict[str, Any]
    queue: Any
    put_aside: Any


def calls(stack: Any, vpc: Any, storage: Storage, options: Options) -> Calls:
    """The functions that the options ask for; the forwarder always."""
    made = {job: _job(stack, vpc, storage, options, job) for job in JOBS} if options.jobs == "functions" else {}
    forward = _function(
        stack,
        vpc,
        options,
        "Forward",
        FORWARD,
        _FORWARD_TIME,
        1024,
        {
            "CORDWOOD_URL": f"https://{options.ingest_domain}",
            "CORDWOOD_TOKEN_SECRET": storage.forwarder_token.secret_arn,
        },
    )
    storage.forwarder_token.grant_read(forward)
    for name in options.forward_buckets:
        forward.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{name}/*"]))
    put_aside = sqs.Queue(
        stack,
        "PutAside",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=storage.key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    queue = sqs.Queue(
        stack,
        "ForwardQueue",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=storage.key,
        enforce_ssl=True,
        visibility_timeout=Duration.seconds(6 * _FORWARD_TIME.to_seconds()),
        dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=5, queue=put_aside),
    )
    forward.add_event_source(
        event_sources.SqsEventSource(queue, batch_size=5, report_batch_item_failures=True, max_concurrency=5)
    )
    _let_s3_send(stack, storage, queue, options)
    for number, name in enumerate(options.forward_log_groups):
        logs.SubscriptionFilter(
            stack,
            f"Subscription{number}",
            log_group=logs.LogGroup.from_log_group_name(stack, f"Forwarded{number}", name),
            destination=destinations.LambdaDestination(forward),
            filter_pattern=logs.FilterPattern.all_events(),
        )
    return Calls({**made, "forward": forward}, queue, put_aside)


def _let_s3_send(stack: Any, storage: Storage, queue: Any, options: Options) -> None:
    """Only those buckets, and only of this account: anybody's bucket could be told to notify a queue that is open."""
    if not options.forward_buckets:
        return
    account = {"StringEquals": {"aws:SourceAccount": Stack.of(stack).account}}
    arns = [f"arn:aws:s3:::{name}" for name in options.forward_buckets]
    s3 = iam.ServicePrincipal("s3.amazonaws.com")
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[s3],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={**account, "ArnEquals": {"aws:SourceArn": arns}},
        )
    )
    storage.key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[s3], actions=["kms:GenerateDataKey", "kms:Decrypt"], resources=["*"], conditions=account
        )
    )


def _job(stack: Any, vpc: Any, storage: Storage, options: Options, job: str) -> Any:
    every, time, memory = JOBS[job]
    told = {"CORDWOOD_ROUND": job, "CORDWOOD_DATABASE_SECRET": storage.database_secret.secret_arn}
    told |= {name: value for name, value in environment(storage, options).items() if name != "AWS_REGION"}
    function = _function(stack, vpc, options, job.capitalize(), ROUND, time, memory, told, at_once=1)
    storage.database_secret.grant_read(function)
    storage.database.connections.allow_default_port_from(function)
    storage.grant(function.role, writes=job in _WRITERS)
    events.Rule(
        stack,
        f"{job.capitalize()}Schedule",
        schedule=events.Schedule.rate(every),
        # The next call does what one could not: a call that is tried again would only meet it.
        targets=[events_targets.LambdaFunction(function, retry_attempts=0)],
    )
    return function


def _function(
    stack: Any,
    vpc: Any,
    options: Options,
    name: str,
    handler: str,
    time: Any,
    memory: int,
    told: dict[str, str],
    *,
    at_once: int | None = None,
) -> Any:
    return lambda_.DockerImageFunction(
        stack,
        f"{name}Function",
        code=lambda_.DockerImageCode.from_image_asset(**image(options), entrypoint=ENTRYPOINT, cmd=[handler]),
        architecture=lambda_.Architecture.X86_64,
        memory_size=memory,
        timeout=time,
        reserved_concurrent_executions=at_once,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        environment={"CORDWOOD_DATA_DIR": "/tmp/cordwood", "HOME": "/tmp", **told},  # noqa: S108 - the function's own
        log_group=logs.LogGroup(
            stack, f"{name}FunctionLog", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        ),
    )
