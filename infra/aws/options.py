"""What an installation on AWS may choose: the context `cordwood` in cdk.json, or `cdk deploy -c cordwood='{…}'`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Options of the stack, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """Where it runs."""
    certificate_arn: str = Field(pattern=r"^arn:aws[\w-]*:acm:.+")
    """A certificate of AWS Certificate Manager for both names."""
    domain: str = Field(pattern=r"^[a-z0-9.-]+$")
    """The name under which people and their programs reach the UI and the API."""
    ingest_domain: str = Field(pattern=r"^[a-z0-9.-]+$")
    """The name that shippers send to; all of its requests go to ingest nodes."""
    admin_email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    """The first administrator; the password is in the secret that the output AdminPassword names."""
    pipeline: str = "infra/aws/pipeline.yaml"
    """The pipeline file, a path in the repository: it is built into the image."""
    public: bool = True
    """Whether the Internet reaches the load balancer of HTTPS; that of syslog and OTLP serves `senders` alone."""
    senders: tuple[str, ...] = ("10.64.0.0/16",)
    """Networks that may send syslog (TLS, 6514) and OTLP (gRPC, 4317)."""
    jobs: Literal["nodes", "functions"] = "nodes"
    """Who does detectors, notifications, reports, recordings, compaction, retention and deletion: worker nodes, or
    functions."""
    forward_buckets: tuple[str, ...] = ()
    """Buckets whose new objects are forwarded, once they notify the queue that ForwardQueueArnOutput names."""
    forward_log_groups: tuple[str, ...] = ()
    """Log groups of CloudWatch that are forwarded."""
    database_class: str = Field(default="m7g.large", pattern=r"^[a-z0-9]+\.[a-z0-9]+$")
    """Class of the database, without `db.`."""
    database_gib: int = Field(default=200, ge=20, le=64_000)
    """Storage of the database; it grows by itself up to four times that."""
    ingest_nodes: tuple[int, int] = (2, 10)
    """Fewest and most ingest nodes."""
    query_nodes: tuple[int, int] = (2, 6)
    """Fewest and most query nodes."""
