"""The store of a data folder, opened by this process itself: a node behind a Unix socket that only we can open."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio

from ..config import Config, Settings
from ..core.runtime.node import Node
from ..plugins import load_plugins
from ..web.app import create_app
from ..web.auth.accounts import users_exist
from ..web.auth.tokens import create_token, revoke_token
from .places import store_config
from .web import WebServer

_TOKEN = "command line"  # noqa: S105 - the token's name


@asynccontextmanager
async def opened(settings: Settings, *, deletes: bool = False) -> AsyncIterator[tuple[Path, str | None]]:
    """The socket of the node's API while it runs, and the token to show there, if one is needed.

    Who can open the store can read and write all of it: the token is made for this one use.

    :raises ConfigError: the data folder is in use, or the database cannot be used
    """
    registry = load_plugins()
    store = store_config(settings)
    config = replace(Config.default(registry), place=store.place, places=store.places)
    node = Node(settings, config, registry)
    with tempfile.TemporaryDirectory(prefix="cordwood-") as folder:
        path = Path(folder) / "api"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            async with node.running(), _token(node) as token:
                server = WebServer(create_app(node))
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(server.serve, [listener])
                    await server.listens.wait()
                    async with anyio.create_task_group() as work:
                        if deletes:
                            work.start_soon(node.delete)
                        try:
                            yield path, token
                        finally:
                            work.cancel_scope.cancel()
                            server.stop()


@asynccontextmanager
async def _token(node: Node) -> AsyncIterator[str | None]:
    pool = node.store.pool
    if not await users_exist(pool):
        yield None
        return
    token, secret = await create_token(pool, _TOKEN, ["ingest", "query", "admin"])
    try:
        yield secret
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(3):
            await revoke_token(pool, token.id)
