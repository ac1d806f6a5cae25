"""Security rules that the stack does not follow, each with the reason: cdk-nag fails on any other."""

from __future__ import annotations

from typing import Any

from aws_cdk import Acknowledgment, Validations

from .options import Options
from .storage import Storage

_MANAGED = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role"


def acknowledge(stack: Any, storage: Storage, options: Options) -> None:
    """Say so to cdk-nag."""
    segments = stack.get_logical_id(storage.segments.node.default_child)
    reasons = {
        f"IAM4[{_MANAGED}/AmazonRDSEnhancedMonitoringRole]": "RDS's own policy: it may write its figures",
        f"IAM4[{_MANAGED}/AWSLambdaBasicExecutionRole]": "Lambda's own policy: it may write its logs",
        f"IAM4[{_MANAGED}/AWSLambdaVPCAccessExecutionRole]": "Lambda's own policy for functions in a network",
        f"IAM5[Resource::<{segments}.Arn>/*]": "objects of this bucket alone; their names hold random bits",
        "IAM5[Resource::*]": "ecr:GetAuthorizationToken takes no resource; all else in these policies names one",
        "SMG4": "a node reads the database's password when it starts and an administrator chooses theirs: "
        "docs/aws.md says how to change each",
        "RDS11": "no route leads to the database, and its group lets in nodes and functions alone",
        "ECS2": "the variables hold names and addresses; both secrets come from Secrets Manager",
    }
    for name in options.forward_buckets:
        reasons[f"IAM5[Resource::arn:aws:s3:::{name}/*]"] = "the forwarder may get any object of a bucket it forwards"
    if options.public:
        reasons["EC23"] = "people and shippers reach HTTPS from anywhere; `public: false` shuts it"
    rules = (Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=why) for rule, why in reasons.items())
    Validations.of(stack).acknowledge(*rules)
