"""Issues of reports in PostgreSQL: what was made, when, and whether it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ...plugins import rfc3339
from ..alerting.samples import storable
from ..paging import Page, before, page, possible_id
from ..storage.database import Connection

KEPT = 100  # issues of a report; the oldest go
_ISSUE = """
select i.id, i.report, i.title, i.due_at, i.from_time, i.to_time, i.created_at, i.created_by, i.error, i.summary,
       i.html is not null, i.pdf is not null, i.data is not null,
       (select coalesce(jsonb_agg(jsonb_build_object('notifier', d.notifier, 'channel', d.channel, 'status', d.status,
                                                     'attempts', d.attempts, 'error', d.error) order by d.id), '[]')
        from notification d where d.issue_id = i.id)
from report_issue i
"""


class Attempt(msgspec.Struct, frozen=True):
    """One try to send it."""

    at: str
    ok: bool
    detail: str


class Sent(msgspec.Struct, frozen=True):
    """How the sending by one notifier went."""

    notifier: str
    channel: str
    status: str
    attempts: list[Attempt]
    error: str | None


class Issue(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A report as it was made once. `due_at` is None where somebody asked for it; `error`: it could not be made."""

    id: int
    report: str
    title: str
    due_at: datetime | None
    from_: datetime
    to: datetime
    created_at: datetime
    created_by: str | None
    error: str | None
    summary: list[str]
    has_html: bool
    has_pdf: bool
    has_data: bool
    sent: list[Sent]


class Made(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A new issue, to be kept."""

    report: str
    title: str
    due_at: datetime | None
    from_: datetime
    to: datetime
    created_by: str | None = None
    error: str | None = None
    summary: Sequence[str] = ()
    html: str | None = None
    pdf: bytes | None = None
    data: bytes | None = None


async def keep(
    connection: Connection, project_id: int, made: Made, notify: Mapping[str, str], now: datetime
) -> int | None:
    """Keep an issue and what is to be sent of it (notifier → channel), in the caller's transaction; its id.

    None: the one that was due then is kept already.
    """
    number: int | None = await connection.fetchval(
        """
        insert into report_issue (project_id, report, title, due_at, from_time, to_time, created_by, error, summary,
                                  html, pdf, data, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (project_id, report, due_at) do nothing returning id
        """,
        project_id,
        made.report,
        storable(made.title),
        made.due_at,
        made.from_,
        made.to,
        made.created_by,
        None if made.error is None else storable(made.error),
        storable(list(made.summary)),
        None if made.html is None else storable(made.html),
        made.pdf,
        made.data,
        now,
    )
    if number is None:
        return None
    if notify and made.error is None:
        await connection.executemany(
            """
            insert into notification (project_id, issue_id, notifier, channel, event, payload, created_at,
                                      next_attempt_at)
            values ($1, $2, $3, $4, 'report', $5, $6, $6)
            """,
            [(project_id, number, name, channel, _payload(made, now), now) for name, channel in notify.items()],
        )
    await connection.execute(
        """
        delete from report_issue where project_id = $1 and report = $2 and id not in (
            select id from report_issue where project_id = $1 and report = $2 order by id desc limit $3)
        """,
        project_id,
        made.report,
        KEPT,
    )
    return number


def _payload(made: Made, now: datetime) -> dict[str, Any]:
    """What a notification says of it; the files are taken from the issue."""
    return {
        "detector": made.report,
        "title": storable(made.title),
        "severity": "INFO",
        "group": {},
        "values": {},
        "opened_at": rfc3339(now),
        "resolved_at": None,
        "text": storable("\n".join(f"- {sentence}" for sentence in made.summary)),
    }


class Issues:
    """Reads what is kept."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list(self, project_id: int, report: str, *, cursor: str | None, limit: int) -> Page[Issue]:
        """The issues of a report, newest first.

        :raises QueryError: the cursor is none of ours
        """
        rows = await self._pool.fetch(
            f"{_ISSUE} where i.project_id = $1 and i.report = $2 and i.id < $3 order by i.id desc limit $4",
            project_id,
            report,
            before(cursor),
            limit + 1,
        )
        return page([_issue(row) for row in rows], limit, lambda issue: str(issue.id))

    async def get(self, project_id: int, number: int) -> Issue | None:
        """One issue; None: there is none."""
        row = await self._pool.fetchrow(
            f"{_ISSUE} where i.project_id = $1 and i.id = $2", project_id, possible_id(number)
        )
        return None if row is None else _issue(row)

    async def content(self, project_id: int, number: int, form: str) -> str | bytes | None:
        """`html`, `pdf` or `data` (a ZIP of CSV files) of an issue; None: there is none."""
        column = {"html": "html", "pdf": "pdf", "data": "data"}[form]
        found: str | bytes | None = await self._pool.fetchval(
            f"select {column} from report_issue where project_id = $1 and id = $2",  # noqa: S608 - one of three
            project_id,
            possible_id(number),
        )
        return found


def _issue(row: asyncpg.Record) -> Issue:
    *plain, sent = row
    return Issue(*(*plain, msgspec.convert(sent, type=list[Sent])))
