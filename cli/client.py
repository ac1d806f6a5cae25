"""Whom `query`, `tail`, `delete` and `ingest` speak to, and how its answers become errors of the command line.

`CORDWOOD_URL` (with `CORDWOOD_TOKEN`) where it is set; else the server that runs on the data folder; else that store,
opened by this process.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from .exits import InputError, UnreachableError
from .serverfile import running_server

if TYPE_CHECKING:
    from ..client import AsyncClient

TIMEOUT = httpx.Timeout(10, read=3700, write=120)
"""A query may run for an hour; the server says when it has had enough."""


@asynccontextmanager
async def connected(
    data_dir: Path | None, *, role: str = "query", deletes: bool = False, served: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API; paths are relative to it.

    `role` is what a store that we open ourselves must do; `deletes`: deletions besides. `served`: open none, for what
    is asked needs the pipelines of a server.

    :raises UnreachableError: the server cannot be reached
    :raises ConfigError: the data folder or a setting cannot be used
    """
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
async def connected_client(data_dir: Path | None, *, served: bool = False) -> AsyncIterator[AsyncClient]:
    """As `connected`, the client library; what it ends with becomes an error of the command line.

    :raises UnreachableError: the server cannot be reached, or cannot answer
    :raises InputError: it refuses
    """
    from .. import client as library

    async with connected(data_dir, served=served) as http:
        try:
            yield library.AsyncClient.over(http)
        except library.RefusedError as why:
            raise told({"status": why.status, "detail": why.detail, "errors": why.errors}) from None
        except library.UnreachableError as why:
            raise UnreachableError(str(why)) from None


@asynccontextmanager
async def _client(
    url: str, token: str | None, transport: httpx.AsyncHTTPTransport | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport) as client:
            yield client
    except httpx.TransportError as why:
        raise UnreachableError(f"{url} cannot be reached: {str(why) or type(why).__name__}") from None


async def checked(response: httpx.Response, query: str = "") -> httpx.Response:
    """The response, if it is a success.

    :raises QueryError: the server says where in `query` the mistake is
    :raises UnreachableError: 502, 503, 504: it is there but cannot answer now
    :raises InputError: anything else that it refuses
    """
    if response.is_success:
        return response
    await response.aread()
    raise refusal(response, query)


def refusal(response: httpx.Response, query: str = "") -> Exception:
    """The error for an answer that is no success; its body must have been read."""
    return told({"status": response.status_code} | _problem(response), query)


def told(problem: Mapping[str, Any], query: str = "") -> Exception:
    """The error for a problem that the server told (RFC 9457)."""
    from ..plugins import QueryError

    status = problem.get("status")
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
    errors = problem.get("errors") or []
    if status == 400 and errors and errors[0].get("line") and query:
        first = errors[0]
        hint = first.get("hint") or ""
        return QueryError(first["message"], text=query, line=first["line"], column=first["column"], hint=hint)
    if status in (502, 503, 504):
        return UnreachableError(f"the server cannot answer now: {detail}")
    if status == 401:
        return InputError(f"{detail}; set CORDWOOD_TOKEN to a token (`cordwood token create`)")
    return InputError(detail)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {"detail": f"HTTP {response.status_code} {response.text[:200]}".strip()}
    return body if isinstance(body, dict) else {}
