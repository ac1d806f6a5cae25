"""Reports as the node runs them: on the node that holds the lock, made when they fall due. The outbox sends them.

`report_state` says up to when a schedule was followed. What fell due while no node ran is made once, for the last time
that it was due. The issue, what is to be sent, and the state are one transaction: a crash makes it again or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import anyio
import asyncpg

from ...config import Config, ReportSettings
from ...config.schedules import last_due, next_due
from ..storage.audit import audit
from ..storage.leader import Session, lead
from .make import Maker
from .store import keep

POLL_SECONDS = 2.0
_log = logging.getLogger(__name__)


class ReportService:
    """Made once for a node."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        maker: Maker,
        project_id: int,
        config: Config,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._maker, self._project = pool, maker, project_id
        self._clock = clock
        self.reload(config)

    def reload(self, config: Config) -> None:
        """Go on with another configuration; a schedule that stays is followed from where it was."""
        self._reports: Mapping[str, ReportSettings] = config.reports
        self._channels = {name: entry.type for name, entry in config.notifiers.items()}

    async def run(self) -> None:
        """Make what is due, whenever this node holds the lock; until cancelled."""
        await lead(self._pool, "reports", self._work)

    async def _work(self, session: Session) -> None:
        while True:
            await self.once(session)
            await anyio.sleep(POLL_SECONDS)

    async def once(self, session: Session) -> None:
        """One pass: make what is due, with the notifications that bring it.

        :raises RetryableError: the database does not answer
        """
        for name, report in dict(self._reports).items():
            if (due := await self._due(session, name, report)) is not None:
                made = await self._maker.issue(name, report, due, due_at=due)
                async with session.transaction() as connection:
                    await keep(connection, self._project, made, self.channels(report), self._clock())
                    await connection.execute(
                        "update report_state set followed_until = $3 where project_id = $1 and name = $2",
                        self._project,
                        name,
                        due,
                    )
                if made.error is not None:
                    _log.error("report %s: %s", name, made.error)

    async def make_now(self, name: str, report: ReportSettings, by: str, *, send: bool) -> int:
        """Make an issue up to now because somebody asked, and keep it; its number.

        :raises RetryableError: the store does not answer
        """
        made = await self._maker.issue(name, report, self._clock(), by=by)
        async with self._pool.acquire() as connection, connection.transaction():
            number = await keep(connection, self._project, made, self.channels(report) if send else {}, self._clock())
            assert number is not None  # it fell due at no moment, so there is no other
            await audit(connection, by, "report.make", project_id=self._project, report=name, issue=number, sent=send)
        return number

    def channels(self, report: ReportSettings) -> dict[str, str]:
        """Who sends a report, with the channel of each."""
        return {name: self._channels[name] for name in report.notify if name in self._channels}

    async def _due(self, session: Session, name: str, report: ReportSettings) -> datetime | None:
        """The last moment that this report fell due and was not made for; a new one begins to be followed now."""
        now = self._clock()
        async with session.transaction() as connection:
            await connection.execute(
                "insert into report_state (project_id, name, followed_until) values ($1, $2, $3)"
                " on conflict do nothing",
                self._project,
                name,
                now,
            )
            until = await connection.fetchval(
                "select followed_until from report_state where project_id = $1 and name = $2", self._project, name
            )
        zone = ZoneInfo(report.timezone)
        if next_due(report.schedule, zone, until) > now:
            return None
        return last_due(report.schedule, zone, now).astimezone(UTC)
