"""What the API reads of alerting and what people change: acknowledge, resolve. Any node; needs only the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
from msgspec import UNSET, UnsetType

from ...plugins import QueryError, now_ns, rfc3339
from ..paging import Page, before, page, possible_id
from .outbox import no_escalation, resolved_notifications
from .records import Attempt, DetectorRecord, IncidentRecord, NotificationRecord, to_datetime
from .samples import storable

MOST_MOMENTS = 1_000  # of a timeline: a person writes fewer


class AlertingRepository:
    """Pages are newest first (detectors: by name). A `cursor` is the `next_cursor` of the page before.

    `state` takes one state or several with commas. All methods raise QueryError for a cursor that is none.
    """

    def __init__(self, pool: asyncpg.Pool, clock: Callable[[], int] = now_ns) -> None:
        self._pool, self._clock = pool, clock

    async def list_detectors(
        self, project_id: int, *, cursor: str | None = None, limit: int = 100, state: str | None = None
    ) -> Page[DetectorRecord]:
        """The detectors of the running configuration, by name."""
        rows = await self._pool.fetch(
            """
            select d.*, i.open, s.now as shown
            from detector_state d,
                 lateral (select count(*) as open from incident
                          where project_id = d.project_id and detector = d.name and state <> 'resolved') i,
                 -- a person may have resolved the last one since the detector ran
                 lateral (select case when d.state = 'error' then 'error' when i.open > 0 then 'firing' else 'ok' end
                          as now) s
            where d.project_id = $1 and d.active and d.name > $2 and ($3::text[] is null or s.now = any($3))
            order by d.name limit $4
            """,
            project_id,
            cursor or "",
            _states(state),
            limit + 1,
        )
        return page([_detector(row) for row in rows], limit, lambda item: item.name)

    async def list_incidents(
        self,
        project_id: int,
        *,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        detector: str | None = None,
        suppressed_by: int | None = None,
    ) -> Page[IncidentRecord]:
        """Incidents, newest first; `suppressed_by`: only those that one suppresses."""
        rows = await self._pool.fetch(
            """
            select * from incident
            where project_id = $1 and id < $2 and ($3::text[] is null or state = any($3))
              and ($4::text is null or detector = $4) and ($5::bigint is null or suppressed_by = $5)
            order by id desc limit $6
            """,
            project_id,
            before(cursor),
            _states(state),
            detector,
            None if suppressed_by is None else possible_id(suppressed_by),
            limit + 1,
        )
        return page([_incident(row) for row in rows], limit, lambda item: str(item.id))

    async def get_incident(self, project_id: int, incident_id: int) -> IncidentRecord | None:
        """One incident with its notifications, oldest first; None: there is no such."""
        row = await self._pool.fetchrow(
            "select * from incident where project_id = $1 and id = $2", project_id, possible_id(incident_id)
        )
        if row is None:
            return None
        told = await self._pool.fetch(
            f"{_NOTIFICATION} where n.project_id = $1 and n.incident_id = $2 order by n.id", project_id, row["id"]
        )
        return _incident(row, [_notification(found) for found in told])

    async def list_notifications(
        self,
        project_id: int,
        *,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        incident: int | None = None,
    ) -> Page[NotificationRecord]:
        """Notifications with every attempt, newest first; `state`: pending, sent, failed."""
        rows = await self._pool.fetch(
            f"""
            {_NOTIFICATION}
            where n.project_id = $1 and n.id < $2 and ($3::text[] is null or n.status = any($3))
              and ($4::bigint is null or n.incident_id = $4)
            order by n.id desc limit $5
            """,
            project_id,
            before(cursor),
            _states(state),
            None if incident is None else possible_id(incident),
            limit + 1,
        )
        return page([_notification(row) for row in rows], limit, lambda item: str(item.id))

    async def acknowledge(self, project_id: int, incident_id: int, *, by: str | None = None) -> IncidentRecord | None:
        """Say that somebody looks at it, so that nobody else is told; one that is acknowledged or over stays.

        None: there is none.
        """
        at = to_datetime(self._clock())
        async with self._pool.acquire() as connection, connection.transaction():
            changed = await connection.fetchval(
                """
                update incident set state = 'acknowledged', acknowledged_at = $3, timeline = timeline || $4::jsonb
                where project_id = $1 and id = $2 and state in ('open', 'silenced') returning id
                """,
                project_id,
                possible_id(incident_id),
                at,
                [{"at": rfc3339(at), "what": "acknowledged", "by": by}],
            )
            if changed is not None:
                await no_escalation(connection, [changed], at)
        return await self.get_incident(project_id, incident_id)

    async def comment(
        self, project_id: int, incident_id: int, text: str, *, by: str | None = None
    ) -> IncidentRecord | None:
        """Write something into its timeline, of whatever state it is. None: there is none.

        :raises QueryError: its timeline is full
        """
        moment = {"at": rfc3339(to_datetime(self._clock())), "what": "commented", "by": by, "text": text}
        changed = await self._pool.fetchval(
            """
            update incident set timeline = timeline || $3::jsonb
            where project_id = $1 and id = $2 and jsonb_array_length(timeline) < $4 returning id
            """,
            project_id,
            possible_id(incident_id),
            [storable(moment)],
            MOST_MOMENTS,
        )
        found = await self.get_incident(project_id, incident_id)
        if changed is None and found is not None:
            raise QueryError(
                f"the timeline has {MOST_MOMENTS:,} entries, and no room for more", text="", hint="resolve the incident"
            )
        return found

    async def resolve(self, project_id: int, incident_id: int, *, by: str | None = None) -> IncidentRecord | None:
        """Say that it is over, and tell who was told of it; one that is resolved stays as it is.

        The same trouble does not open it again: only windows that begin after this moment do. None: there is none.
        """
        at = to_datetime(self._clock())
        async with self._pool.acquire() as connection, connection.transaction():
            changed = await connection.fetchval(
                """
                update incident set state = 'resolved', resolved_at = $3, resolved_by = $4,
                                    timeline = timeline || $5::jsonb
                where project_id = $1 and id = $2 and state <> 'resolved' returning id
                """,
                project_id,
                possible_id(incident_id),
                at,
                by or "",
                [{"at": rfc3339(at), "what": "resolved", "by": by}],
            )
            if changed is not None:
                await resolved_notifications(connection, [changed], at)
        return await self.get_incident(project_id, incident_id)


_NOTIFICATION = """
select n.*, coalesce(i.title, n.payload->>'title') as title,
       case when n.incident_id is null then n.payload->>'detector' end as report
from notification n left join incident i on i.id = n.incident_id
"""


def _states(text: str | None) -> list[str] | None:
    return text.split(",") if text else None


def _detector(row: Any) -> DetectorRecord:
    return DetectorRecord(
        name=row["name"],
        type=row["type"],
        query=row["query"],
        condition=row["condition"],
        window=row["window"],
        every=row["every"],
        notify=row["notify"],
        severity=row["severity"],
        state=row["shown"],
        last_run_at=row["last_run_at"] and rfc3339(row["last_run_at"]),
        error=row["error"],
        open_incidents=row["open"],
    )


def _incident(row: Any, notifications: list[NotificationRecord] | UnsetType = UNSET) -> IncidentRecord:
    return IncidentRecord(
        id=row["id"],
        detector=row["detector"],
        state=row["state"],
        severity=row["severity"],
        title=row["title"],
        group=row["group"],
        values=row["values"],
        query=row["query"],
        from_=rfc3339(row["from_time"]),
        to=rfc3339(row["to_time"]),
        opened_at=rfc3339(row["opened_at"]),
        last_seen_at=rfc3339(row["last_seen_at"]),
        acknowledged_at=row["acknowledged_at"] and rfc3339(row["acknowledged_at"]),
        resolved_at=row["resolved_at"] and rfc3339(row["resolved_at"]),
        suppressed_by=row["suppressed_by"],
        flapping=row["turned_at"] is not None and row["state"] != "resolved",
        flaps=row["flaps"],
        samples=row["samples"],
        timeline=row["timeline"],
        notifications=notifications,
    )


def _notification(row: Any) -> NotificationRecord:
    return NotificationRecord(
        id=row["id"],
        incident_id=row["incident_id"],
        incident_title=row["title"],
        report=row["report"],
        notifier=row["notifier"],
        channel=row["channel"],
        event=row["event"],
        delivery_id=str(row["delivery_id"]),
        digest=None if row["sent_as"] in (None, row["delivery_id"]) else str(row["sent_as"]),
        status=row["status"],
        attempts=[Attempt(**attempt) for attempt in row["attempts"]],
        created_at=rfc3339(row["created_at"]),
        sent_at=row["sent_at"] and rfc3339(row["sent_at"]),
        error=row["error"],
    )
