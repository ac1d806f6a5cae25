"""`/healthz`, `/readyz`, `/metrics`: for load balancers, supervisors and Prometheus."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response
from msgspec import Meta
from prometheus_client.exposition import choose_encoder

from ...plugins import in_worker
from ..problems import described
from .node import NodeDependency


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Annotated[str, Meta(examples=["ok"])]


class Ready(msgspec.Struct, frozen=True):
    """Whether events and queries are taken, and what stands in the way."""

    ready: bool
    reasons: Annotated[list[str], Meta(description="What is wrong", examples=[["the database does not answer"]])]
    warnings: Annotated[
        list[str], Meta(description="What is wrong around the node and does not stop it, with what mends it")
    ]


@get("/healthz", operation_id="getHealth", summary="Alive?", tags=["system"], opt={"access": "open"})
async def get_health() -> Alive:
    """The process answers; says nothing about its database."""
    return Alive("ok")


@get(
    "/readyz",
    operation_id="getReady",
    summary="Ready?",
    tags=["system"],
    opt={"access": "open"},
    responses={503: ResponseSpec(Ready, generate_examples=False, description="Not ready; the reasons say why")},
)
async def get_ready(node: NodeDependency) -> Response[Ready]:
    """200 where events and queries are taken, 503 with the reasons where they are not."""
    reasons: list[str] = []
    warnings: list[str] = []
    if not node.ready:
        reasons.append("it starts or stops: the database is not open and migrated")
    else:
        if problem := await node.database_problem():
            reasons.append(problem)
        if node.disk_full:
            reasons.append("the disk is full: the last commit failed for want of space")
        if node.draining:
            reasons.append("it is about to stop: what runs is finished, and no more should come")
        reasons += node.conditions.reasons
        warnings += node.conditions.warnings + node.source_warnings
    return Response(Ready(not reasons, reasons, warnings), status_code=503 if reasons else 200)


@get(
    "/metrics",
    operation_id="getMetrics",
    summary="Metrics for Prometheus",
    tags=["system"],
    media_type="text/plain",
    opt={"access": "query"},
    responses=described(),
)
async def get_metrics(request: Request[Any, Any, Any], node: NodeDependency) -> Response[bytes]:
    """Prometheus text format, or OpenMetrics where `Accept` asks for it."""
    encoder, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(await in_worker(encoder, node.metrics), headers={"Content-Type": media_type})
