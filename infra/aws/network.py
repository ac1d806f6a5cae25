"""The network: load balancers in public subnets, nodes in private ones, the database where no route leads out."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

from .options import Options

CIDR = "10.64.0.0/16"


def network(stack: Any, options: Options) -> Any:
    """A VPC over two zones, each with a way out of its own. S3 is reached without it."""
    flows = logs.LogGroup(stack, "Flows", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY)
    return ec2.Vpc(
        stack,
        "Network",
        ip_addresses=ec2.IpAddresses.cidr(CIDR),
        availability_zones=[f"{options.region}{zone}" for zone in "ab"],
        nat_gateways=2,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
            ec2.SubnetConfiguration(name="nodes", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
            ec2.SubnetConfiguration(name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
        ],
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        flow_logs={"All": ec2.FlowLogOptions(destination=ec2.FlowLogDestination.to_cloud_watch_logs(flows))},
    )
