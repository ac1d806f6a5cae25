"""What goes out as one message: a notification of an incident, those that a digest holds, or a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ...plugins import Notification, headline, rfc3339, severity_rank
from ..storage.database import Connection
from .chart import Shown
from .records import to_ns
from .report_letter import report_notification

LISTED = 50  # notifications that a digest names one by one; it counts the others
_EVENTS = ("opened", "flapping", "escalated", "resolved")
ROW = """
select n.id, n.incident_id, n.issue_id, n.delivery_id, n.sent_as, n.event, n.payload, n.created_at,
       jsonb_array_length(n.attempts) as tried, i.samples, p.name as project,
       i.query, i.from_time, i.opened_at, coalesce(i.resolved_at, i.last_seen_at) as until,
       (select tried->>'detail' from notification e, jsonb_array_elements(e.attempts) tried
        where e.incident_id = n.incident_id and e.notifier = n.notifier and e.id < n.id and e.status = 'sent'
          and (tried->>'ok')::boolean order by e.id limit 1) as first
from notification n left join incident i on i.id = n.incident_id join project p on p.id = n.project_id
"""
_MEMBERS = """
select id, event, payload->>'severity' as severity, created_at, jsonb_array_length(attempts) as tried
from notification where project_id = $1 and notifier = $2 and status = 'pending' and sent_as = $3 order by id
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, the rows of the outbox that it delivers, and how often it was tried. `created_at`: of the oldest.

    `shown`: what its chart is of; None: it has none.
    """

    notification: Notification
    ids: tuple[int, ...]
    tried: int
    created_at: datetime
    shown: Shown | None = None

    @property
    def is_digest(self) -> bool:
        """Whether it holds several notifications."""
        return self.notification.event == "digest"


class Letters:
    """Writes them, for one notifier. For `link`, `acknowledge` and `report` see `AlertingService`."""

    def __init__(
        self,
        project_id: int,
        notifier: str,
        link: Callable[[int], str],
        acknowledge: Callable[[int, int, str], str],
        report: Callable[[str], str],
    ) -> None:
        self._project, self._notifier = project_id, notifier
        self._link, self._acknowledge, self._report = link, acknowledge, report

    async def of(self, connection: Connection, rows: Sequence[Mapping[str, Any]], most: int | None) -> list[Letter]:
        """The letters that rows of the outbox (see ROW) go out in, at most so many."""
        letters: dict[UUID, Letter] = {}
        for row in rows:
            id_ = row["sent_as"] or row["delivery_id"]
            if id_ in letters or (most is not None and len(letters) >= most):
                continue
            if id_ != row["delivery_id"]:
                letters[id_] = await self._digest(connection, id_, row)
                continue
            is_report = row["issue_id"] is not None
            told = await report_notification(connection, row, self._report) if is_report else self._notification(row)
            if told is not None:
                shown = None if is_report else _shown(row)
                letters[id_] = Letter(told, (row["id"],), row["tried"] + 1, row["created_at"], shown)
        return list(letters.values())

    def _notification(self, row: Mapping[str, Any]) -> Notification:
        incident_id = row["incident_id"]
        over = row["event"] == "resolved"
        return Notification(
            delivery_id=str(row["delivery_id"]),
            event=row["event"],
            incident_id=incident_id,
            link=self._link(incident_id),
            acknowledge="" if over else self._acknowledge(self._project, incident_id, self._notifier),
            samples=row["samples"],
            project=row["project"],
            first=row["first"] or "",
            **row["payload"],
        )

    async def _digest(self, connection: Connection, digest: UUID, row: Mapping[str, Any]) -> Letter:
        members = await connection.fetch(_MEMBERS, self._project, self._notifier, digest)
        first = [member["id"] for member in members[:LISTED]]
        listed = await connection.fetch(f"{ROW} where n.id = any($1::bigint[]) order by n.id", first)
        counts = Counter(member["event"] for member in members)
        said = ", ".join(f"{counts[event]} {event}" for event in _EVENTS if counts[event])
        severities = [member["severity"] for member in members if member["event"] != "resolved"]
        left_out = len(members) - len(listed)
        oldest = min(member["created_at"] for member in members)
        notification = Notification(
            delivery_id=str(digest),
            event="digest",
            incident_id=0,
            detector="",
            title=f"{len(members)} notifications: {said}",
            severity=max(severities, key=severity_rank, default="INFO"),
            group={},
            values=dict(counts),
            opened_at=rfc3339(oldest),
            resolved_at=None,
            link=self._link(0),
            samples=[self._item(dict(one)) for one in listed],
            project=row["project"],
            text=f"and {left_out:,} more" if left_out else "",
        )
        return Letter(notification, tuple(one["id"] for one in members), members[0]["tried"] + 1, oldest)

    def _item(self, row: Mapping[str, Any]) -> dict[str, Any]:
        one = self._notification(row)
        return {
            "message": headline(one),
            "delivery_id": one.delivery_id,
            "event": one.event,
            "incident_id": one.incident_id,
            "severity": one.severity,
            "detector": one.detector,
            "link": one.link,
        }


def _shown(row: Mapping[str, Any]) -> Shown:
    return Shown(row["query"], *(to_ns(row[name]) for name in ("from_time", "opened_at", "until")))
