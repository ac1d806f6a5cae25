"""The whole stack, and the security rules it is held against."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import App, CfnOutput, Environment, Stack, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from .calls import calls
from .exceptions import acknowledge
from .network import network
from .nodes import nodes
from .options import Options
from .storage import storage
from .watching import watching


def application(options: Options | None = None, **app_options: Any) -> Any:
    """The CDK application, not yet synthesised. Options: those given, else the context `cordwood`."""
    app = App(**app_options)
    if options is None:
        given = app.node.try_get_context("cordwood") or {}
        options = Options.model_validate(json.loads(given) if isinstance(given, str) else given)
    stack = Stack(app, "Cordwood", env=Environment(region=options.region), termination_protection=True)
    Tags.of(stack).add("application", "cordwood")
    vpc = network(stack, options)
    kept = storage(stack, vpc, options)
    running = nodes(stack, vpc, kept, options)
    called = calls(stack, vpc, kept, options)
    topic = watching(stack, kept, running, called, options)
    for name, value in {
        "Https": running.https.load_balancer_dns_name,
        "Streams": running.streams.load_balancer_dns_name,
        "AdminPassword": kept.admin_password.secret_arn,
        "ForwarderToken": kept.forwarder_token.secret_arn,
        "ForwardQueueArn": called.queue.queue_arn,
        "AlarmTopic": topic.topic_arn,
    }.items():
        CfnOutput(stack, f"{name}Output", value=value)
    acknowledge(stack, kept, options)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app
