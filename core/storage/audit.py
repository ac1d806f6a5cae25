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


async def audit_entries(
    pool: asyncpg.Pool, *, before: int, limit: int, what: str | None = None, who: str | None = None
) -> list[AuditEntry]:
    """Entries with an id below `before`, newest first; `what` is one kind, or its first part: `deletion`."""
    rows = await pool.fetch(
        """
        select a.id, a.at, a.who, a.what, p.name, a.details from audit a left join project p on p.id = a.project_id
        where a.id < $1 and ($3::text is null or a.what = $3 or starts_with(a.what, $3 || '.'))
          and ($4::text is null or a.who = $4)
        order by a.id desc limit $2
        """,
        before,
        limit,
        what,
        who,
    )
    return [AuditEntry(*row) for row in rows]
