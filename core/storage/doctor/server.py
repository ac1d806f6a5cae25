"""PostgreSQL's settings: does it keep what it has acknowledged, and has it room for us."""

from __future__ import annotations

from collections.abc import AsyncIterator

from .examination import Examination
from .finding import Finding, fail, ok, warn

LEAST_CONNECTIONS = 30
"""A node opens 20, and commands beside it some more."""
LEAST_WAL_MB = 1024
"""PostgreSQL's own default; with less, checkpoints follow each other while much comes in."""
OLD_TRANSACTIONS = 1_000_000_000
"""Of two thousand million that there are."""

_SETTINGS = """
select name, setting, unit from pg_settings where name in
('fsync', 'full_page_writes', 'synchronous_commit', 'zero_damaged_pages', 'ignore_checksum_failure', 'autovacuum',
 'max_connections', 'max_wal_size')
"""
_AGE = "select age(datfrozenxid) from pg_database where datname = current_database()"
_MUST_BE = {
    "fsync": ("on", "a crash loses events that were acknowledged"),
    "full_page_writes": ("on", "a crash may tear pages"),
    "zero_damaged_pages": ("off", "PostgreSQL would silently make damaged pages empty"),
    "ignore_checksum_failure": ("off", "PostgreSQL would hand out damaged pages"),
}


async def settings(examination: Examination) -> AsyncIterator[Finding]:
    """Settings that cost events, or speed."""
    found = {row["name"]: row["setting"] for row in await examination.pool.fetch(_SETTINGS)}
    for name, (right, why) in _MUST_BE.items():
        if name not in found:
            continue  # not every release has it
        if found[name] == right:
            yield ok(name, right)
        else:
            yield fail(name, found[name], f"set {name} = {right} in postgresql.conf and reload: {why}")
    if found["synchronous_commit"] == "off":
        yield fail(
            "synchronous_commit",
            "off",
            "set it to on in postgresql.conf and reload: a crash loses the last moments that were acknowledged",
        )
    else:
        yield ok("synchronous_commit", found["synchronous_commit"])
    if found["autovacuum"] == "on":
        yield ok("autovacuum", "on")
    else:
        yield warn("autovacuum", "off", "set autovacuum = on: the catalog's tables would grow without end")
    connections, wal = int(found["max_connections"]), int(found["max_wal_size"])
    if connections < LEAST_CONNECTIONS:
        yield warn(
            "max_connections",
            str(connections),
            f"raise it to {LEAST_CONNECTIONS} or more for one node, 20 more for each other, and restart PostgreSQL",
        )
    else:
        yield ok("max_connections", str(connections))
    if wal < LEAST_WAL_MB:
        yield warn("max_wal_size", f"{wal} MB", f"raise it to {LEAST_WAL_MB} MB or more and reload: ingest is slowed")
    else:
        yield ok("max_wal_size", f"{wal} MB")


async def writable(examination: Examination) -> AsyncIterator[Finding]:
    """Whether it takes anything."""
    if await examination.pool.fetchval("select pg_is_in_recovery()"):
        yield fail("writable", "it is a standby", "point CORDWOOD_DATABASE_URL at the primary, or promote this one")
    elif await examination.pool.fetchval("select current_setting('transaction_read_only')::bool"):
        yield fail("writable", "it is read-only", "reset default_transaction_read_only of the server, database or user")
    else:
        yield ok("writable", "yes")


async def transactions(examination: Examination) -> AsyncIterator[Finding]:
    """Whether the numbers of transactions run out: PostgreSQL then refuses all writes."""
    age = await examination.pool.fetchval(_AGE)
    if age > OLD_TRANSACTIONS:
        yield warn("transaction ids", f"{age} in use", "see why autovacuum does not freeze, and run VACUUM FREEZE")
    else:
        yield ok("transaction ids", f"{age} in use")


CHECKS = (settings, writable, transactions)
