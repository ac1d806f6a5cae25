"""Whom `query`, `tail`, `delete` and `ingest` speak to, and how its answers become errors of the command line.

`CORDWOOD_URL` (with `CORDWOOD_TOKEN`) where it is set; else the server that runs on the data folder; else that store,
opened by this process.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from .. import client as library
from .exits import InputError, UnreachableError
from .serverfile import running_server

if TYPE_CHECKING:
    from ..client import AsyncClient

TIMEOUT = httpx.Timeout(10, read=3700, write=120)
"""A query may run for an hour; the server says when it has had enough."""


@asynccontextmanager
async def connected(
    data_dir: Path | None,
    query: str = "",
    *,
    role: str = "query",
    deletes: bool = False,
    served: bool = False,
    retry_for: float = 60,
    waiting: Callable[[str], None] | None = None,
) -> AsyncIterator[AsyncClient]:
    """The client library; what a call of it ends with becomes an error of the command line.

    `query` is what is asked, in which the server points at mistakes. `role` is what a store that we open ourselves must
    do; `deletes`: deletions besides. `served`: open none, for what is asked needs the pipelines of a server.

    :raises UnreachableError: the server cannot be reached, or cannot answer
    :raises QueryError: the server says where in `query` the mistake is
    :raises InputError: it refuses
    :raises ConfigError: the data folder or a setting cannot be used
    """
    async with _spoken_to(data_dir, role=role, deletes=deletes, served=served) as http:
        try:
            yield library.AsyncClient.over(http, retry_for=retry_for, waiting=waiting)
        except library.CordwoodError as why:
            raise command_error(why, query) from None


@asynccontextmanager
async def _spoken_to(
    data_dir: Path | None, *, role: str, deletes: bool, served: bool
) -> AsyncIterator[httpx.AsyncClient]:
    url = os.environ.get("CORDWOOD_URL", "").strip()
    token = os.environ.get("CORDWOOD_TOKEN", "").strip() or None
    if url:
        if not url.startswith(("http://", "https://")):
            raise InputError("CORDWOOD_URL must begin with http:// or https://")
        async with _client(url, token) as client:
            yield client
        return
    found = running_server(data_dir or Path(os.environ.get("CORDWOOD_DATA_DIR") or "data"))
    if found:
        async with _client(found, token) as client:
            yield client
        return
    if served:
        raise UnreachableError(
            "this needs a running server, for its pipelines: start one with `cordwood up PIPELINE.yaml`, "
            "or set --data-dir or CORDWOOD_URL"
        )
    from ..config import Settings
    from .local import opened
    from .logs import log_to_stderr

    log_to_stderr("warning")
    settings = Settings.from_environment(data_dir=data_dir, role=role)
    if role == "query" and settings.database_url is None and not (settings.data_dir / "postgres").exists():
        raise UnreachableError(
            f"no Cordwood runs on the data folder {settings.data_dir}, and it holds no store; "
            "start one with `cordwood up`, or set --data-dir or CORDWOOD_URL"
        )
    async with opened(settings, deletes=deletes) as (path, secret):
        transport = httpx.AsyncHTTPTransport(uds=str(path), retries=0)
        async with _client("http://localhost", secret, transport) as client:
            yield client


@asynccontextmanager
async def _client(
    url: str, token: str | None, transport: httpx.AsyncHTTPTransport | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport) as client:
        yield client


def command_error(why: library.CordwoodError, query: str = "") -> Exception:
    """The error of the command line for one of the client library."""
    from ..plugins import QueryError

    if not isinstance(why, library.RefusedError):
        return UnreachableError(str(why))
    if why.status == 400 and why.errors and why.errors[0].get("line") and query:
        first = why.errors[0]
        hint = first.get("hint") or ""
        return QueryError(first["message"], text=query, line=first["line"], column=first["column"], hint=hint)
    if why.status == 401:
        return InputError(f"{why.detail}; set CORDWOOD_TOKEN to a token (`cordwood token create`)")
    return InputError(why.detail)
