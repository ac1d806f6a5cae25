"""A query's answer as server-sent events: how far it is, what is settled already, the result, the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
from litestar import Request
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Send

from ...core.query import Progress
from ...plugins import in_worker
from ..problems import to_problem
from .formats import EVENTS, Say, json_text

if TYPE_CHECKING:
    from ...core.query import QueryEngine, QueryRequest, QueryResult

TICK_S: Final = 0.25  # between two events of progress: often enough for a bar that moves
QUIET_TICKS: Final = 40  # without a change, after which a comment shows that the connection is alive

_encode = msgspec.json.Encoder().encode


class Told(Response[Any]):
    """What `tell` says while it works; a client that goes away cancels it."""

    def __init__(self, tell: Callable[[Say], Awaitable[None]], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(content=b"", media_type=media_type, headers=headers)
        self._told = tell

    def to_asgi_response(
        self,
        app: Any,
        request: Request[Any, Any, Any],
        *,
        headers: dict[str, str] | None = None,
        cookies: Iterable[Any] | None = None,
        encoded_headers: Iterable[tuple[bytes, bytes]] | None = None,
        **_: Any,
    ) -> ASGIResponse:
        """See `Response`."""
        return Telling(
            self._told,
            media_type=self.media_type,
            headers={**(headers or {}), **self.headers},
            cookies=cookies,
            encoded_headers=encoded_headers,
        )


class EventStream(Told):
    """Server-sent events."""

    def __init__(self, tell: Callable[[Say], Awaitable[None]]) -> None:
        super().__init__(tell, EVENTS, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


class QueryEvents(EventStream):
    """Runs the query while it answers; a client that goes away cancels it."""

    def __init__(self, engine: QueryEngine, request: QueryRequest) -> None:
        super().__init__(self._tell)
        self._engine, self._request = engine, request

    async def _tell(self, say: Say) -> None:
        progress, over = Progress(self._request.id or "", watched=True), anyio.Event()
        result: QueryResult | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_tick, progress, over, say)
            try:
                result = await self._engine.run(self._request, progress)
            except Exception as why:
                problem, _ = to_problem(why)
            over.set()  # what is being said is said to its end
        if result is not None:
            await say(_progress(progress))
            await _say_rows("result", result, say)
        else:
            await say(b"event: problem\ndata: " + _encode(problem) + b"\n\n")
        await say(b"event: end\ndata: {}\n\n")


class Telling(ASGIStreamingResponse):
    """The body is what `tell` says."""

    def __init__(self, tell: Callable[[Say], Awaitable[None]], **options: Any) -> None:
        super().__init__(iterator=(), status_code=200, **options)
        self._tell = tell

    async def send_body(self, send: Send, receive: Receive) -> None:
        """See `ASGIStreamingResponse`; without a generator, for tasks must not outlive where they were started."""

        async def say(part: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": part, "more_body": more})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen_for_disconnect, tasks.cancel_scope, receive)
            await self._tell(say)
            await say(b"", more=False)
            tasks.cancel_scope.cancel()


async def _tick(progress: Progress, over: anyio.Event, say: Say) -> None:
    """Say what has changed, until it is over."""
    said, partial, quiet = b"", None, 0
    while not over.is_set():
        quiet += 1
        if (now := _progress(progress)) != said:
            said, quiet = now, 0
            await say(now)
        if progress.partial is not partial and progress.partial is not None:
            partial, quiet = progress.partial, 0
            await _say_rows("partial", partial, say)
        if quiet == QUIET_TICKS:
            quiet = 0
            await say(b": alive\n\n")
        with anyio.move_on_after(TICK_S):
            await over.wait()


def _progress(progress: Progress) -> bytes:
    scanned = list(progress.scanned.values())
    told = {
        "id": progress.id,
        "segments_opened": len(scanned),
        "segments_total": max(progress.total, len(scanned)),
        "rows": sum(segment.rows for segment in scanned),
        "bytes": sum(segment.bytes for segment in scanned),
    }
    return b"event: progress\ndata: " + _encode(told) + b"\n\n"


async def _say_rows(event: str, result: QueryResult, say: Say) -> None:
    """The result in the form of JSON, which has no line break in it."""
    await say(b"event: " + event.encode() + b"\ndata: ")
    parts = json_text(result)
    while part := await in_worker(next, parts, b""):
        await say(part)
    await say(b"\n\n")
