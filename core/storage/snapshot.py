"""A long read of the whole store in one snapshot, beside everything that goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from .migrations import SCHEMA
from .objects import READING

TEXT_FORMS = {"datestyle": "ISO, YMD", "timezone": "UTC", "intervalstyle": "postgres", "extra_float_digits": "3"}
"""How COPY writes and reads values as text, whatever the server's own settings."""

# What a server ends a session for; transaction_timeout is not known before PostgreSQL 17.
PATIENT = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""


@asynccontextmanager
async def snapshot(connect_args: dict[str, Any]) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own in a read-only transaction that sees one state of everything, segments' bytes included.

    Before it is taken, the table of the bytes is locked against truncation, and objects in other places are locked
    against deletion: neither heeds a snapshot.
    """
    settings = {"search_path": f"{SCHEMA}, public", "application_name": "cordwood snapshot"} | TEXT_FORMS
    connection = await asyncpg.connect(**connect_args, timeout=10, server_settings=settings)
    try:
        await connection.execute(PATIENT)
        await connection.execute(f"select pg_advisory_lock_shared({READING})")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"lock table {SCHEMA}.segment_file in access share mode")
            yield connection
    finally:
        if not connection.is_closed():
            connection.terminate()
