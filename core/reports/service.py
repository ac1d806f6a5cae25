"""Reports as the node runs them: on the node that holds the lock, made when they fall due and sent until they arrive.

`report_state` says up to when a schedule was followed. What fell due while no node ran is made once, for the last time
that it was due. The issue, what is to be sent, and the state are one transaction: a crash makes it again or not at all.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import asyncpg

from ...config import Config, ReportSettings
from ...config.schedules import last_due, next_due
from ...plugins import Attachment, DeliveryError, Notification, Notifier, RetryableError
from ..alerting.backoff import GIVE_UP_SECONDS, retry_seconds
from ..alerting.records import rfc3339
from ..alerting.samples import storable
from ..storage.audit import audit
from ..storage.leader import Session, lead
from .make import Maker
from .store import keep

POLL_SECONDS = 2.0
SEND_SECONDS = 120.0  # a notifier that takes longer hangs
MOST_ATTACHED = 10 << 20  # bytes: mail servers take few more
_MAX_DETAIL = 500
_log = logging.getLogger(__name__)
_DUE = """
select d.id, d.delivery_id, d.notifier, jsonb_array_length(d.attempts) as tried, i.report, i.title,
       i.summary, i.created_at, i.pdf, i.data, i.html, p.name as project
from report_delivery d join report_issue i on i.id = d.issue_id join project p on p.id = i.project_id
where i.project_id = $1 and d.status = 'pending' and d.next_attempt_at <= $2 order by d.next_attempt_at, d.id limit 1
"""


class ReportService:
    """Made once for a node. `link` gives the address of a report's page."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        maker: Maker,
        project_id: int,
        config: Config,
        *,
        link: Callable[[str], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._maker, self._project = pool, maker, project_id
        self._link, self._clock = link, clock
        self.reload(config)

    def reload(self, config: Config) -> None:
        """Go on with another configuration; a schedule that stays is followed from where it was."""
        self._reports: Mapping[str, ReportSettings] = config.reports
        self._notifiers: dict[str, Notifier[Any]] = {name: entry.make() for name, entry in config.notifiers.items()}

    async def run(self) -> None:
        """Make and send, whenever this node holds the lock; until cancelled."""
        await lead(self._pool, "reports", self._work)

    async def _work(self, session: Session) -> None:
        while True:
            await self.once(session)
            await anyio.sleep(POLL_SECONDS)

    async def once(self, session: Session) -> None:
        """One pass: make what is due, and try what is to be sent.

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
        while await self._send_one(session):
            pass

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
        return {name: self._notifiers[name].type for name in report.notify if name in self._notifiers}

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

    async def _send_one(self, session: Session) -> bool:
        """Try the next delivery that is due; false: there is none."""
        now = self._clock()
        async with session.transaction() as connection:
            found = await connection.fetchrow(_DUE, self._project, now)
        if found is None:
            return False
        row = dict(found)
        tried, again, ok = row["tried"] + 1, None, False
        try:
            with anyio.fail_after(SEND_SECONDS):
                notifier = self._notifiers.get(row["notifier"])
                if notifier is None:
                    raise DeliveryError("no notifier of this name is configured")
                detail, ok = await notifier.notify(self._notification(row)), True
        except RetryableError as why:
            detail, again = str(why), retry_seconds(tried, random.random(), why.after)  # noqa: S311 - no secret
        except DeliveryError as why:
            detail = str(why)
        except TimeoutError:
            detail, again = f"no answer within {SEND_SECONDS:.0f} s", retry_seconds(tried, random.random())  # noqa: S311
        except Exception as why:  # a notifier may be a stranger's code: whatever it raises must not stop the others
            detail, again = f"{type(why).__name__} in the notifier", retry_seconds(tried, random.random())  # noqa: S311
        await self._record(session, row, detail, ok=ok, again=again)
        return True

    async def _record(
        self, session: Session, row: Mapping[str, Any], detail: str, *, ok: bool, again: float | None
    ) -> None:
        now = self._clock()
        if again is not None and (now - row["created_at"]).total_seconds() + again > GIVE_UP_SECONDS:
            again = None
        status = "sent" if ok else "failed" if again is None else "pending"
        detail = storable(detail)[:_MAX_DETAIL]
        async with session.transaction() as connection:
            await connection.execute(
                """
                update report_delivery set attempts = attempts || $2::jsonb, status = $3, next_attempt_at = $4,
                       sent_at = $5, error = $6
                where id = $1
                """,
                row["id"],
                [{"at": rfc3339(now), "ok": ok, "detail": detail}],
                status,
                now + timedelta(seconds=again or 0),
                now if ok else None,
                None if ok else detail,
            )
        if status == "failed":
            _log.error("report %s: %s gives it up: %s", row["report"], row["notifier"], detail)

    def _notification(self, row: Mapping[str, Any]) -> Notification:
        files = [
            Attachment(f"{row['report']}.pdf", "application/pdf", row["pdf"])
            if row["pdf"] is not None
            else Attachment(f"{row['report']}.html", "text/html", (row["html"] or "").encode()),
        ]
        if row["data"] is not None:
            files.append(Attachment(f"{row['report']}.zip", "application/zip", row["data"]))
        while sum(len(file.content) for file in files) > MOST_ATTACHED:
            files.pop()  # the link leads to all of it
        return Notification(
            delivery_id=str(row["delivery_id"]),
            event="report",
            incident_id=0,
            detector=row["report"],
            title=row["title"],
            severity="INFO",
            group={},
            values={},
            opened_at=rfc3339(row["created_at"]),
            resolved_at=None,
            link=self._link(row["report"]),
            samples=(),
            project=row["project"],
            text="\n".join(f"- {sentence}" for sentence in row["summary"]),
            attachments=tuple(files),
        )
