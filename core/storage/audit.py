"""The audit log: who changed what, written in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from .database import Connection


class AuditEntry(msgspec.Struct, frozen=True):
    """One change. `what` is a noun and a verb such as `deletion.create`; `details` are JSON values by name."""

    id: int
    at: datetime
    who: str
    what: str
    project: str | None
    details: dict[str, Any]


async def audit(
    connection: Connection | asyncpg.Pool, who: str, what: str, *, project_id: int | None = None, **details: Any
) -> None:
    """Enter a change; call it in the transaction that makes the change."""
    await connection.execute(
        "insert into audit (who, what, project_id, details) values ($1, $2, $3, $4)", who, what, project_id, details
    )


class AuditFilter(msgspec.Struct, frozen=True):
    """Which entries; None: all. `what` is one kind, or its first part: `deletion`. `from_ns` is inclusive."""

    project_id: int | None = None
    what: str | None = None
    who: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None


async def audit_entries(pool: asyncpg.Pool, wanted: AuditFilter, *, before: int, limit: int) -> list[AuditEntry]:
    """Entries with an id below `before`, newest first."""
    rows = await pool.fetch(
        """
        select a.id, a.at, a.who, a.what, p.name, a.details from audit a left join project p on p.id = a.project_id
        where a.id < $1 and ($3::text is null or a.what = $3 or starts_with(a.what, $3 || '.'))
          and ($4::text is null or a.who = $4) and ($5::integer is null or a.project_id = $5)
          and ($6::bigint is null or a.at >= to_timestamp($6 / 1e9))
          and ($7::bigint is null or a.at < to_timestamp($7 / 1e9))
        order by a.id desc limit $2
        """,
        before,
        limit,
        wanted.what,
        wanted.who,
        wanted.project_id,
        wanted.from_ns,
        wanted.to_ns,
    )
    return [AuditEntry(*row) for row in rows]
