"""The audit log: who changed what, written in the transaction of the change.

Each entry is sealed when its transaction commits (migration 0011): it gets the next number, and the SHA-256 of its
values and of the hash before it. Who changes, takes out or slips in an entry leaves hashes that do not fit.
"""

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
    seq: int
    """Its place in the order of commits, from 1, without gaps."""
    hash: str
    """SHA-256, in hex, of the entry and of the hash before it."""


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
        select a.id, a.at, a.who, a.what, p.name, a.details, a.seq, encode(a.hash, 'hex')
        from audit a left join project p on p.id = a.project_id
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


class AuditCheck(msgspec.Struct, frozen=True):
    """What became of the chain. `seq` and `hash` are the last entry's: whoever keeps them can ask for them later."""

    entries: int
    seq: int
    hash: str
    faults: tuple[str, ...]


_CHECK = """
with chain as (
    select seq, hash, audit_digest(a, coalesce(lag(hash) over w, ''::bytea)) as digest, lag(seq) over w as before
    from audit a where seq is not null window w as (order by seq)
)
select count(*) as entries, coalesce(max(seq), 0) as seq,
       (select encode(hash, 'hex') from chain order by seq desc limit 1) as hash,
       min(seq) filter (where hash is distinct from digest) as changed,
       min(seq) filter (where seq <> coalesce(before, 0) + 1) as gap,
       (select count(*) from audit where seq is null) as unsealed
from chain
"""


async def check_audit(pool: asyncpg.Pool, known: tuple[int, str] | None = None) -> AuditCheck:
    """Compute the chain again.

    :param known: number and hash of an entry that somebody noted: it must still be there.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_CHECK)
        found = None if known is None else await connection.fetchval(
            "select encode(hash, 'hex') from audit where seq = $1", known[0]
        )  # fmt: skip
    assert row is not None
    faults = []
    if row["changed"] is not None:
        faults.append(f"entry {row['changed']} or the one before it is not as it was committed")
    if row["gap"] is not None:
        faults.append(f"entries are missing before {row['gap']}")
    if row["unsealed"]:
        faults.append(f"{row['unsealed']} entries were put in without a seal")
    if known is not None and found != known[1]:
        faults.append(f"entry {known[0]} is missing, or not the one that was noted")
    return AuditCheck(row["entries"], row["seq"], row["hash"] or "", tuple(faults))
