"""What the API shows of alerting: detectors, incidents, notifications. Times are RFC 3339 in UTC with nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DetectorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A detector of the running configuration and how it stands."""

    name: str
    type: str
    query: str
    condition: str | None
    window: str
    every: str
    notify: list[str]
    severity: str
    state: Literal["ok", "firing", "error"]
    last_run_at: str | None
    error: str | None
    open_incidents: int


class Attempt(msgspec.Struct, frozen=True):
    """One try to deliver, and what the other side answered."""

    at: str
    ok: bool
    detail: str


class NotificationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message about an incident, or with a report, to one notifier, with its history."""

    id: int
    incident_id: int | None
    """None: it is a report."""
    incident_title: str
    """The report's where it is one."""
    report: str | None
    """The report's name."""
    notifier: str
    channel: str
    event: Literal["opened", "flapping", "escalated", "resolved", "report"]
    delivery_id: str
    digest: str | None
    """The delivery id of the digest that it is in; None: it goes by itself."""
    status: Literal["pending", "sent", "failed"]
    attempts: list[Attempt]
    created_at: str
    sent_at: str | None
    error: str | None


class IncidentRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A group that got into trouble. `from` … `to`: the event time of the first and the last window in trouble."""

    id: int
    detector: str
    state: Literal["open", "acknowledged", "silenced", "resolved"]
    severity: str
    title: str
    group: Mapping[str, Any]
    values: Mapping[str, Any]
    query: str
    from_: str
    to: str
    opened_at: str
    last_seen_at: str
    acknowledged_at: str | None
    resolved_at: str | None
    suppressed_by: int | None
    """The incident that people are told of instead; also after it ended."""
    flapping: bool
    """It opens and ends again and again, and stays open until it is calm."""
    flaps: int
    """How often it got into trouble lately, where that was too often; else 0."""
    samples: list[dict[str, Any]]
    timeline: list[dict[str, Any]]
    """What happened to it, oldest first: `{"at", "what": opened|acknowledged|silenced|silence ended|flapping|
    flapping ended|commented|resolved, "by": str|null}`, of a comment also its `text`, of a silence the reason."""
    notifications: list[NotificationRecord] | UnsetType = UNSET
    """Only where one incident is asked for."""


def to_datetime(ns: int) -> datetime:
    """Nanoseconds since the epoch as PostgreSQL keeps it: cut to the microsecond.

    >>> to_datetime(1_769_860_800_123_456_789).isoformat()
    '2026-01-31T12:00:00.123456+00:00'
    """
    return _EPOCH + timedelta(microseconds=ns // 1_000)


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch, exact.

    >>> to_ns(to_datetime(1_769_860_800_123_456_000))
    1769860800123456000
    """
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
