"""`/api/v1/retention`: what goes now by the rules of `store:`, and what goes next."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta
from pydantic import ValidationError

from ...config import StoreSettings
from ...config.units import format_duration
from ...core.storage import retention as storage
from ...plugins import RejectedError, rfc3339
from ..problems import described
from .node import NodeDependency
from .times import Time


class RetentionBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules as `store:` of a pipeline file has them."""

    retention: Annotated[str, Meta(examples=["30d"])] | None = None
    max_bytes: Annotated[str, Meta(examples=["50GB"])] | int | None = None
    streams: Annotated[dict[str, dict[str, Any]], Meta(description="`query` and `retention` by name")] = {}
    projects: Annotated[dict[str, dict[str, Any]], Meta(description="`retention` and `streams` by name")] = {}


class Expiry(msgspec.Struct, frozen=True):
    """What one rule takes."""

    project: Annotated[str | None, Meta(description="null: all together")]
    rule: Annotated[str, Meta(description="`events`, `max_bytes`, or a stream's name", examples=["events"])]
    query: Annotated[str | None, Meta(description="The search of a stream")]
    retention: Annotated[str | None, Meta(description="How long it keeps", examples=["30d"])]
    events: Annotated[int, Meta(description="Events that go in the next minute")]
    segments: int
    bytes: int
    next_at: Annotated[Time | None, Meta(description="When the next go; null: none are there, or `max_bytes`")]


class RetentionPreview(msgspec.Struct, frozen=True):
    """What each rule takes."""

    items: list[Expiry]


@get(
    "/api/v1/retention",
    operation_id="getRetention",
    summary="What goes now, and what next",
    tags=["retention"],
    opt={"access": "admin"},
    responses=described(),
)
async def get_retention(node: NodeDependency) -> RetentionPreview:
    """What the rules that hold take now, and when the next events go."""
    return _shown(await node.retention.preview())


@post(
    "/api/v1/retention/preview",
    operation_id="previewRetention",
    summary="What other rules would take",
    tags=["retention"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(),
)
async def preview_retention(data: JSONBody[RetentionBody], node: NodeDependency) -> RetentionPreview:
    """What these rules would take if they held. Nothing goes."""
    try:
        settings = StoreSettings.model_validate(msgspec.to_builtins(data))
    except ValidationError as why:
        wrong = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in why.errors(include_url=False))
        raise RejectedError("; ".join(wrong)) from None
    return _shown(await node.retention.preview(settings))


def _shown(found: list[storage.Expiry]) -> RetentionPreview:
    return RetentionPreview(
        [
            Expiry(
                project=item.project,
                rule=item.rule,
                query=item.query,
                retention=None if item.age_ns is None else format_duration(timedelta(microseconds=item.age_ns / 1000)),
                events=item.events,
                segments=item.segments,
                bytes=item.bytes,
                next_at=None if item.next_ns is None else rfc3339(item.next_ns),
            )
            for item in found
        ]
    )
