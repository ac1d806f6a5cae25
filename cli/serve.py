"""A node with its web server in one event loop: start, signals, and the order of a stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from ..config import Config, Settings
from ..core.runtime.memory import keep_what_is_loaded
from ..core.runtime.node import Node
from ..plugins import ConfigError, CordwoodError, Registry
from ..web.app import create_app
from ..web.auth.accounts import ensure_first_admin, users_exist
from ..web.auth.tokens import create_token, list_tokens, revoke_token
from .serverfile import announced
from .web import WebServer, bound, url_of

INTERRUPTED = 130
WATCH_S = 1.0
"""Seconds between two looks whether the pipeline file has changed."""
_DEMO_TOKEN = "sample applications"  # noqa: S105 - the token's name
_log = logging.getLogger(__name__)


class Serving:
    """One `cordwood up`. `ready` is called with the URL once requests are answered."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        registry: Registry,
        *,
        demo: bool = False,
        watch: bool = False,
        ready: Callable[[str], None] | None = None,
    ) -> None:
        self._settings, self._demo, self._watch = settings, demo, watch
        self._node = Node(settings, config, registry)
        self._ready = ready or _announce
        self._server: WebServer | None = None
        self._stopping = False
        self._drain = anyio.Event()
        self._starting: anyio.CancelScope | None = None

    async def run(self) -> None:
        """Serve until a signal, or `stop`.

        :raises ConfigError: port, data folder or database cannot be used, or a first administrator is needed
        :raises FatalError: the database does not start, or is of a newer release
        """
        listener = bound(self._settings.host, self._settings.port)
        failed: CordwoodError | None = None
        try:
            async with anyio.create_task_group() as tasks:
                await tasks.start(self._watch_signals)
                try:
                    with anyio.CancelScope() as self._starting:
                        await self._serve(listener)
                except* CordwoodError as group:
                    failed = _first(group)
                tasks.cancel_scope.cancel()
        finally:
            listener.close()
        if failed is not None:
            raise failed

    def stop(self) -> None:
        """Stop in order: no new requests, then sources, then the last commit, then the database.

        With `drain_seconds` requests are served so much longer, and no longer wanted; asked again, it stops at once.
        """
        again, self._stopping = self._stopping, True
        if not again:
            _log.info("stopping")
        if self._server is None:
            if self._starting is not None:
                self._starting.cancel()
        elif again or not self._settings.drain_seconds:
            self._server.stop()
        else:
            self._node.draining = True
            self._drain.set()

    async def _until_stopped(self, server: WebServer) -> None:
        async def drain() -> None:
            await self._drain.wait()
            await anyio.sleep(self._settings.drain_seconds)
            server.stop()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drain)
            if self._watch and self._settings.config is not None:
                tasks.start_soon(self._watch_file, self._settings.config)
            await server.stopping.wait()
            tasks.cancel_scope.cancel()

    async def _serve(self, listener: socket.socket) -> None:
        settings, node = self._settings, self._node
        async with node.running():
            if await ensure_first_admin(node.store.pool, settings):
                _log.info("made the first administrator %s", settings.admin_email)
            if not settings.is_loopback and not await users_exist(node.store.pool):
                raise ConfigError(
                    f"{settings.host} can be reached by others, and there is no administrator yet",
                    hint="run `cordwood user add --admin EMAIL`, or set CORDWOOD_ADMIN_EMAIL and "
                    "CORDWOOD_ADMIN_PASSWORD; or listen on 127.0.0.1",
                )
            url = url_of(settings.host, listener.getsockname()[1])
            self._server = WebServer(
                create_app(node),
                connections=node.config.limits.connections,
                refused=lambda limit: node.admission.reached.update([(limit, "refused")]),
            )
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._server.serve, [listener])
                await self._server.listens.wait()
                with announced(settings.data_dir, url, settings.config):
                    async with self._demonstration(url):
                        keep_what_is_loaded()
                        self._ready(url)
                        await self._until_stopped(self._server)

    @asynccontextmanager
    async def _demonstration(self, url: str) -> AsyncIterator[None]:
        """The sample applications, if they are wanted, with a token: somebody may get an account meanwhile."""
        if not self._demo:
            yield
            return
        from ..infra.samples import run_demo

        token = await self._demo_token()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: run_demo(url, token=token))
            yield
            tasks.cancel_scope.cancel()

    async def _demo_token(self) -> str:
        pool = self._node.store.pool
        for token in await list_tokens(pool):
            if token.name == _DEMO_TOKEN and token.revoked_at is None:
                await revoke_token(pool, token.id)
        _, secret = await create_token(pool, _DEMO_TOKEN, ["ingest", "query"])
        return secret

    async def _watch_signals(self, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    await self._reload()
                elif self._stopping and number == signal.SIGINT:
                    os._exit(INTERRUPTED)  # the second Ctrl-C: what is committed is safe, the rest was not acknowledged
                else:
                    self.stop()

    async def _watch_file(self, path: Path) -> None:
        """Read the file again when it has changed. Where it is wrong, half written maybe, what runs goes on."""
        seen = _state(path)
        while True:
            await anyio.sleep(WATCH_S)
            if (now := _state(path)) not in (None, seen):
                seen = now
                await self._reload()

    async def _reload(self) -> None:
        if self._server is not None:
            await self._node.reload()  # which logs what is wrong


def _state(path: Path) -> tuple[int, ...] | None:
    """What another content of the file changes; None: it is not there, between two versions maybe."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _announce(url: str) -> None:
    print(f"Cordwood is ready: {url}", flush=True)


def _first(group: BaseExceptionGroup[CordwoodError]) -> CordwoodError:
    """The first error of a group, however deep it lies."""
    inner: BaseException = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    assert isinstance(inner, CordwoodError)
    return inner
