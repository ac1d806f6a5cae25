"""A long read of the whole store in one snapshot, beside everything that goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from .migrations import SCHEMA
from .objects import READING
from .session_settings import PATIENT, TEXT_FORMS


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
