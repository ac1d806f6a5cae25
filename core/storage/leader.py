"""Work that must run once, detectors and compaction, belongs to the node whose connection holds an advisory lock.

The lock belongs to a session, so it goes when the connection goes, and whatever the leader writes, it writes on that
very connection: a node that has lost the lock cannot write, even if it does not know yet. It knows soon: the driver
tells of a closed connection at once, and a heartbeat of one second finds one that is silent. The server in turn ends a
session that has not been heard of for six seconds, so that another node takes over within ten, whatever became of the
first: killed, stopped, or cut off.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import asyncpg

from ...plugins.errors import RetryableError
from .database import DATABASE_ERRORS, Connection

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 1.0
ANSWER_SECONDS = 3.0  # with the two above and the server's six seconds below, a takeover stays under ten
TRANSACTION_SECONDS = 4.0  # as long as a second's sleep and a heartbeat's answer: silence is found as soon in it

UNREACHABLE: tuple[type[Exception], ...] = (RetryableError, *DATABASE_ERRORS)

# The heartbeat keeps a session alive; without it the server gives the lock to another node. A transaction is short.
_SESSION = """
set idle_session_timeout = '6s'; set idle_in_transaction_session_timeout = '6s';
set statement_timeout = '4s'; set lock_timeout = '3s';
"""
_log = logging.getLogger(__name__)


class Session:
    """The connection that holds the lock. Its transactions come one after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = anyio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction on the connection that holds the lock: it commits only while the lock is held.

        It is not cancelled halfway: hold nothing but the database in it. One that takes too long ends the session.

        :raises RetryableError: the database does not answer; nothing was written
        """
        async with self._turn:
            try:
                with anyio.fail_after(TRANSACTION_SECONDS, shield=True) as scope:
                    async with self._connection.transaction():
                        yield self._connection
            except DATABASE_ERRORS as why:
                if scope.cancelled_caught:
                    self.end()
                raise RetryableError(f"the database does not answer: {type(why).__name__}: {why}") from why

    async def beat(self) -> None:
        """See that the connection lives; a transaction that goes on says so as well.

        :raises TimeoutError: it does not answer
        """
        async with self._turn:
            with anyio.fail_after(ANSWER_SECONDS):
                await self._connection.fetchval("select 1")

    def end(self) -> None:
        """Close the connection at once, and so give the lock up: it does not answer."""
        with suppress(asyncpg.InterfaceError):  # it is closed already, and the pool has taken it back
            self._connection.terminate()


async def lead(pool: asyncpg.Pool[Any], name: str, work: Callable[[Session], Awaitable[None]]) -> None:
    """Do `work` whenever this node holds the lock of this name, until cancelled.

    `work` is cancelled when the connection is lost. Another name would let an old and a new release work side by side.
    """
    while True:
        try:
            async with pool.acquire() as connection:
                await _lead_on(connection, name, work)
        except DATABASE_ERRORS as why:
            _log.warning("%s: the database does not answer (%s); trying again", name, type(why).__name__)
        await anyio.sleep(POLL_SECONDS)


async def lead_once(pool: asyncpg.Pool[Any], name: str, work: Callable[[Session], Awaitable[None]]) -> bool:
    """Do `work` to its end if no node holds the lock of this name; whether it was done.

    :raises RetryableError: the database does not answer, or the connection that held the lock was lost on the way
    """
    done = False

    async def noted(session: Session) -> None:
        nonlocal done
        await work(session)
        done = True

    try:
        async with pool.acquire() as connection:
            if not await _locked(connection, name):
                return False
            await _led(connection, name, noted)
    except DATABASE_ERRORS as why:
        raise RetryableError(f"{name}: the database does not answer: {type(why).__name__}: {why}") from why
    if not done:
        raise RetryableError(f"{name}: broke off, and what it did not commit is to be done again")
    return True


async def _locked(connection: Connection, name: str) -> bool:
    return bool(
        await connection.fetchval(
            "select pg_try_advisory_lock(hashtextextended($1, 0))", f"cordwood.{name}", timeout=ANSWER_SECONDS
        )
    )


async def _lead_on(connection: Connection, name: str, work: Callable[[Session], Awaitable[None]]) -> None:
    while not await _locked(connection, name):  # noqa: ASYNC110 - the server tells nobody when a lock comes free
        await anyio.sleep(POLL_SECONDS)
    await _led(connection, name, work)


async def _led(connection: Connection, name: str, work: Callable[[Session], Awaitable[None]]) -> None:
    """Do the work on a connection that has just got the lock, and give it back."""
    try:
        await connection.execute(_SESSION)
        _log.info("%s: this node does it", name)
        await _work_while_held(connection, name, work)
    finally:
        with anyio.move_on_after(2, shield=True), suppress(*DATABASE_ERRORS):
            await connection.reset()  # gives the lock back
        _log.info("%s: this node does it no more", name)


async def _work_while_held(connection: Connection, name: str, work: Callable[[Session], Awaitable[None]]) -> None:
    session = Session(connection)
    async with anyio.create_task_group() as tasks:

        def lost(_: object) -> None:
            _log.warning("%s: lost the connection that holds the lock; it stops here", name)
            tasks.cancel_scope.cancel()

        async def watch() -> None:
            while True:
                await anyio.sleep(HEARTBEAT_SECONDS)
                try:
                    await session.beat()
                except DATABASE_ERRORS as why:
                    _log.warning("%s: the connection that holds the lock is silent (%s)", name, type(why).__name__)
                    session.end()
                    tasks.cancel_scope.cancel()
                    return

        async def run() -> None:
            try:
                await work(session)
            except* UNREACHABLE as group:
                _log.warning("%s: %s; starting again", name, group.exceptions[0])
            tasks.cancel_scope.cancel()

        connection.add_termination_listener(lost)
        try:
            tasks.start_soon(watch, name=f"{name} heartbeat")
            await run()
        finally:
            with suppress(asyncpg.InterfaceError):
                connection.remove_termination_listener(lost)
