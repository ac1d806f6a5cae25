"""Who is not told: incidents become silenced when a silence or a maintenance window fits them, and open afterwards.

A silenced incident is judged and recorded as any other. When nothing silences it any more and it still lasts, people
are told as if it opened at that moment, each once: who was told of it before is not told again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import anyio
import asyncpg

from ...config import Incident, Maintenance, Routing
from ...plugins import RetryableError, rfc3339
from ..storage.database import Connection
from ..storage.leader import Session
from .dependencies import Dependency, Parent
from .outbox import nobody_yet, tell
from .records import to_datetime
from .silences import Reason, Silent, living

MAX_PARENTS = 1_000  # each is compared with every incident that is open
LOOK_SECONDS = 1.0  # between two looks at what silences have begun and ended
_log = logging.getLogger(__name__)


class Quiet:
    """The leader's view of what is silenced, for one project. `notifiers` maps each notifier's name to its type."""

    def __init__(
        self,
        session: Session,
        project_id: int,
        notifiers: Mapping[str, str],
        routing: Routing,
        maintenance: Mapping[str, Maintenance] = MappingProxyType({}),
    ) -> None:
        self._session, self._project, self._notifiers = session, project_id, notifiers
        self._routing, self._maintenance = routing, maintenance
        self.depends: Mapping[str, Dependency] = {}
        """What the detectors of the configuration depend on, by their names."""

    async def silent(self, connection: Connection, at: datetime) -> Silent:
        """What silences at this moment."""
        silences = await living(connection, self._project, at)
        return Silent(silences, self._maintenance, at, self.depends, await self._parents(connection, at))

    async def _parents(self, connection: Connection, at: datetime) -> list[Parent]:
        """The incidents that suppress others, the oldest first: those that last, or ended a short while ago."""
        names = {name for dependency in self.depends.values() for name in dependency.on}
        if not names:
            return []
        longest = max(dependency.lasts for dependency in self.depends.values())
        rows = await connection.fetch(
            """
            select id, detector, title, "group", case when is_well then turned_at else resolved_at end from incident
            where project_id = $1 and detector = any($2::text[])
              and (state <> 'resolved' and not is_well or case when is_well then turned_at else resolved_at end > $3)
            order by id limit $4
            """,
            self._project,
            list(names),
            at - longest,
            MAX_PARENTS,
        )
        return [Parent(*row) for row in rows]

    async def tell(
        self, connection: Connection, incident_id: int, incident: Incident, named: list[str], flaps: int = 0
    ) -> None:
        """Tell everybody of an incident, inserted or opened again in this transaction; `flaps`: how often it did."""
        words = f"It opened {flaps} times in a short time. It stays open until it is calm." if flaps else ""
        await tell(connection, incident_id, self._routing.told(incident, named), self._notifiers, incident.at, words)

    async def look(self, now_ns: int) -> int:
        """Bring the incidents to agree with what silences now; answers how many changed.

        :raises RetryableError: the database does not answer; nothing was written
        """
        now = to_datetime(now_ns)
        changed = 0
        async with self._session.transaction() as connection:
            silent = await self.silent(connection, now)
            # Without anything that silences, only those that were silenced matter.
            rows = await connection.fetch(
                """
                select i.id, i.detector, i.severity, i."group", i.state, d.notify,
                       case when i.turned_at is null then 0 else i.flaps end as flaps
                from incident i join detector_state d on d.project_id = i.project_id and d.name = i.detector
                where i.project_id = $1 and i.state = any($2::text[]) order by i.id for update of i
                """,
                self._project,
                ["open", "silenced"] if silent else ["silenced"],
            )
            for row in rows:
                why = silent.why(row["detector"], row["severity"], row["group"])
                if (why is not None) != (row["state"] == "silenced"):
                    await self._change(connection, row, why, now)
                    changed += 1
        return changed

    async def _change(self, connection: Connection, row: asyncpg.Record, why: Reason | None, now: datetime) -> None:
        await connection.execute(
            "update incident set state = $2, timeline = timeline || $3::jsonb, "
            "suppressed_by = coalesce($4, suppressed_by) where id = $1",
            row["id"],
            "open" if why is None else "silenced",
            [silence_ended(now) if why is None else silenced(now, why)],
            None if why is None else why.incident,
        )
        if why is not None:
            await nobody_yet(connection, [row["id"]], now)
            return
        incident = Incident(row["detector"], row["severity"], row["group"], now)
        await self.tell(connection, row["id"], incident, row["notify"], row["flaps"])

    async def run(self, clock: Callable[[], int], told: Callable[[], None]) -> None:
        """Look again and again, until cancelled; `told` is called where there may be new notifications."""
        while True:
            try:
                if await self.look(clock()):
                    told()
            except RetryableError as why:
                _log.warning("silences: %s; trying again", why)
            await anyio.sleep(LOOK_SECONDS)


def silenced(at: datetime, why: Reason) -> dict[str, Any]:
    """The moment of a timeline from which on nobody is told."""
    return {"at": rfc3339(at), "what": "silenced", "by": why.by, "text": why.text}


def silence_ended(at: datetime) -> dict[str, Any]:
    """The moment of a timeline from which on people are told again."""
    return {"at": rfc3339(at), "what": "silence ended", "by": None}
