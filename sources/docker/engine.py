"""The calls to the Engine's API that the source makes, over its Unix socket or TCP.

Source: Docker Engine API: `ContainerList`, `ContainerInspect`, `ContainerLogs`, `SystemEvents`. Paths have no version:
the Engine then speaks its newest, as Podman does.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ...plugins import NOT_JSON, RejectedError, RetryableError, hide_addresses

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_WAIT_S = 30.0
_MOST_ANSWER = 16 * 1024 * 1024  # bytes of a list, or of what is told about a container
_MOST_EVENT = 1 << 20
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")  # it becomes part of a path
_KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


class Listed(msgspec.Struct, rename="pascal"):
    """A container in the list."""

    id: str
    names: list[str] = []
    state: str = ""
    labels: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """Its first name, without the slash."""
        return self.names[0].lstrip("/") if self.names else self.id[:12]


class _Settings(msgspec.Struct, rename="pascal"):
    tty: bool = False
    image: str = ""
    labels: dict[str, str] | None = None


class Container(msgspec.Struct, rename="pascal"):
    """What is told about one container."""

    id: str
    name: str = ""
    config: _Settings = msgspec.field(default_factory=_Settings)


class Engine:
    """A daemon. Close it."""

    def __init__(self, url: str) -> None:
        import httpx  # slow to import, and only this source needs it

        hide_addresses()
        self.url = url
        if url.startswith("unix://"):
            transport = httpx.AsyncHTTPTransport(uds=url.removeprefix("unix://"), limits=httpx.Limits())
            base = "http://docker"
        else:
            transport, base = httpx.AsyncHTTPTransport(limits=httpx.Limits(), socket_options=_KEEP_ALIVE), url
        self._client = httpx.AsyncClient(
            transport=transport, base_url=base, timeout=httpx.Timeout(_WAIT_S), follow_redirects=False, trust_env=False
        )

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    async def containers(self) -> list[Listed]:
        """All containers, also those that have ended.

        :raises RetryableError: the Engine does not answer
        """
        try:
            listed = await self._get("/containers/json", {"all": "1"}, list[Listed])
        except RejectedError as why:  # every Engine has a list: what answers is something before it, or not yet one
            raise RetryableError(str(why)) from why
        return [one for one in listed if _ID.fullmatch(one.id)]

    async def inspect(self, number: str) -> Container:
        """What is told about a container.

        :raises RejectedError: there is none of this id
        :raises RetryableError: the Engine does not answer
        """
        return await self._get(f"/containers/{number}/json", {}, Container)

    @asynccontextmanager
    async def logs(self, number: str, since: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The container's log from a time on, nanoseconds, in pieces, until it ends.

        :raises RejectedError: there is none of this id, or its log cannot be read
        :raises RetryableError: the Engine does not answer, or no more
        """
        asked = {"follow": "1", "stdout": "1", "stderr": "1", "timestamps": "1"}
        if since:
            asked["since"] = f"{since // 10**9}.{since % 10**9:09d}"
        async with self._stream(f"/containers/{number}/logs", asked) as response:
            yield response.aiter_raw()

    @asynccontextmanager
    async def starts(self) -> AsyncIterator[AsyncIterator[str]]:
        """The ids of containers as they start.

        :raises RejectedError: the Engine does not tell
        :raises RetryableError: the Engine does not answer, or no more
        """
        filters = msgspec.json.encode({"type": ["container"], "event": ["start"]}).decode()
        async with self._stream("/events", {"filters": filters}) as response:
            yield _ids(response.aiter_raw())

    async def _get(self, path: str, asked: Mapping[str, str], kind: type[T]) -> T:
        answer = bytearray()
        async with self._stream(path, asked, wait=_WAIT_S) as response:
            async for piece in response.aiter_bytes():
                answer += piece
                if len(answer) > _MOST_ANSWER:
                    raise RetryableError(f"{self.url} answers more than {_MOST_ANSWER} bytes to {path}")
        try:
            return msgspec.json.decode(answer, type=kind)
        except NOT_JSON as why:
            raise RetryableError(f"{self.url} answers what is not of the Engine's API: {why}") from why

    @asynccontextmanager
    async def _stream(
        self, path: str, asked: Mapping[str, str], *, wait: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        try:
            request = self._client.build_request("GET", path, params=asked)
            request.extensions["timeout"] = {"connect": _WAIT_S, "write": _WAIT_S, "pool": None, "read": wait}
            response = await self._client.send(request, stream=True)
            try:
                if response.status_code != 200:
                    await self._refused(path, response)
                yield response
            finally:
                await response.aclose()
        except httpx.HTTPError as why:
            cause = why.__cause__ or why
            raise RetryableError(f"{self.url} does not answer: {str(cause) or type(why).__name__}") from why

    async def _refused(self, path: str, response: httpx.Response) -> None:
        said = b""
        async for piece in response.aiter_bytes():
            said += piece
            if len(said) > _MOST_EVENT:
                break
        try:
            words: Any = msgspec.json.decode(said)["message"]
        except (*NOT_JSON, KeyError, TypeError):
            words = said[:300].decode("utf-8", "backslashreplace")
        told = f"{self.url}{path}: {response.status_code} {str(words)[:300]}"
        # 501 and, of older Engines, 500: this log driver does not let its logs be read.
        if response.status_code in (404, 409, 501) or "does not support reading" in str(words):
            raise RejectedError(told)
        raise RetryableError(told)


async def _ids(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The id in each event, which is an object on a line."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _MOST_EVENT:
            rest = b""
        for line in lines:
            try:
                told = msgspec.json.decode(line)
                found = told.get("id") or told.get("Actor", {}).get("ID")
            except (*NOT_JSON, AttributeError):
                continue
            if isinstance(found, str):
                yield found
