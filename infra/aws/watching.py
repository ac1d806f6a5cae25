"""Alarms, and a dashboard of what they watch."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from .calls import Calls
from .nodes import Nodes
from .options import Options
from .storage import Storage

_OVER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_UNDER = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_MINUTE = Duration.minutes(1)
GIB = 1 << 30


def watching(stack: Any, storage: Storage, nodes: Nodes, calls: Calls, options: Options) -> Any:
    """The topic that alarms go to; somebody must subscribe to it."""
    topic = sns.Topic(stack, "Alarms", master_key=storage.key, enforce_ssl=True)
    storage.key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    database = storage.database
    # Name: (metric, how, threshold, minutes in a row, what to do).
    watched: dict[str, tuple[Any, Any, float, int, str]] = {
        "DatabaseSpace": (
            database.metric_free_storage_space(period=_MINUTE),
            _UNDER,
            options.database_gib * GIB * 0.1,
            5,
            "The database's storage is full to nine tenths: docs/operations/database-space.md",
        ),
        "DatabaseCpu": (database.metric_cpu_utilization(period=_MINUTE), _OVER, 85, 15, "A larger database_class"),
        "DatabaseConnections": (
            database.metric_database_connections(period=_MINUTE),
            _OVER,
            400,
            5,
            "Each node holds up to 20: fewer nodes, or a larger database_class",
        ),
        "Errors": (
            _answered_5xx(nodes.https.metrics),
            _OVER,
            10,
            5,
            "The load balancer answers 5xx: docs/operations/not-ready.md",
        ),
        "PutAside": (
            calls.put_aside.metric_approximate_number_of_messages_visible(period=_MINUTE),
            _OVER,
            0,
            1,
            "Objects could not be forwarded five times: the log of ForwardFunction says why",
        ),
    }
    for role, target in nodes.targets.items():
        watched[f"{role.capitalize()}Unhealthy"] = (
            target.metrics.unhealthy_host_count(period=_MINUTE, statistic="Maximum"),
            _OVER,
            0,
            10,
            f"A node of the role {role} is not ready: docs/operations/not-ready.md",
        )
    for name, function in calls.functions.items():
        watched[f"{name.capitalize()}Failures"] = (
            function.metric_errors(period=Duration.minutes(5)),
            _OVER,
            0,
            3,
            f"The function {name} fails again and again: its log says why",
        )
    for name, (metric, how, threshold, times, about) in watched.items():
        alarm = cloudwatch.Alarm(
            stack,
            f"{name}Alarm",
            metric=metric,
            comparison_operator=how,
            threshold=threshold,
            evaluation_periods=times,
            alarm_description=about,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
    _dashboard(stack, database, nodes, {name: metric for name, (metric, *_) in watched.items()})
    return topic


def _answered_5xx(metrics: Any) -> Any:
    """5xx of nodes and of the load balancer itself."""
    return cloudwatch.MathExpression(
        expression="FILL(nodes, 0) + FILL(balancer, 0)",
        label="5xx",
        period=_MINUTE,
        using_metrics={
            "nodes": metrics.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=_MINUTE),
            "balancer": metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=_MINUTE),
        },
    )


def _dashboard(stack: Any, database: Any, nodes: Nodes, watched: dict[str, Any]) -> None:
    def graph(title: str, *metrics: Any) -> Any:
        return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)

    cloudwatch.Dashboard(
        stack,
        "Dashboard",
        widgets=[
            [
                graph("Requests", nodes.https.metrics.request_count(period=_MINUTE)),
                graph("Answer time", nodes.https.metrics.target_response_time(period=_MINUTE, statistic="p99")),
                graph("5xx", watched["Errors"]),
            ],
            [
                graph("CPU of nodes", *(service.metric_cpu_utilization() for service in nodes.services.values())),
                graph("Memory of nodes", *(service.metric_memory_utilization() for service in nodes.services.values())),
                graph("Unhealthy nodes", watched["IngestUnhealthy"], watched["QueryUnhealthy"]),
            ],
            [
                graph("Database: CPU", watched["DatabaseCpu"]),
                graph("Database: free bytes", watched["DatabaseSpace"]),
                graph("Database: writes", database.metric("WriteThroughput"), database.metric("WriteIOPS")),
            ],
        ],
    )
