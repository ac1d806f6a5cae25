"""`AsyncClient`: the same calls as `Client`, under asyncio or trio."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpx

from .answer import Answer
from .wire import (
    ARROW,
    EVENTS,
    NDJSON,
    SILENCE_S,
    TIMEOUT,
    Event,
    Lines,
    Messages,
    Moment,
    Patience,
    ServerSent,
    Waiting,
    asking,
    bodies,
    options,
    patient,
    refusal,
    unreachable,
)

if TYPE_CHECKING:
    import pyarrow as pa


class AsyncClient:
    """A client of the server at `url` (else `CORDWOOD_URL`), with `token` (else `CORDWOOD_TOKEN`).

    `retry_for`: seconds that sending and following go on trying while the server is away or busy; `waiting` is told
    each time why.

    :raises CordwoodError: there is no URL
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        retry_for: float = 60,
        waiting: Waiting | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(**options(url, token))
        self._retry_for, self._waiting = retry_for, waiting

    @classmethod
    def over(cls, http: httpx.AsyncClient, *, retry_for: float = 60, waiting: Waiting | None = None) -> Self:
        """A client that speaks through `http`, which has the address and whatever lets it in; its owner closes it."""
        made = cls.__new__(cls)
        made._http, made._retry_for, made._waiting = http, retry_for, waiting
        return made

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def query(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,  # noqa: ASYNC109 - seconds that the server gives the query
    ) -> Answer:
        """Run a query and hold its rows.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        async with self.open(**asking(text, start, end, limit, timezone, timeout, "application/json")) as answer:
            return Answer.of(json.loads(await answer.aread()))

    async def stream(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,  # noqa: ASYNC109 - seconds that the server gives the query
    ) -> AsyncIterator[dict[str, Any]]:
        """Run a query and give its rows one by one, without holding them; values that are null are left out.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        async with self.open(**asking(text, start, end, limit, timezone, timeout, NDJSON)) as answer:
            async for line in _lines(answer):
                yield json.loads(line)

    async def arrow(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,  # noqa: ASYNC109 - seconds that the server gives the query
    ) -> pa.Table:
        """Run a query and give its rows as an Arrow table, ready for polars and pandas.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        import pyarrow.ipc

        async with self.open(**asking(text, start, end, limit, timezone, timeout, ARROW)) as answer:
            return pyarrow.ipc.open_stream(io.BytesIO(await answer.aread())).read_all()

    async def explain(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,  # noqa: ASYNC109 - seconds that the server gives the query
    ) -> dict[str, Any]:
        """How a query would be run, without running it.

        :raises RefusedError: the query is wrong or not allowed
        :raises UnreachableError: the server cannot answer
        """
        asked = asking(text, start, end, limit, timezone, timeout, "application/json")
        plan: dict[str, Any] = (await self.call(**asked | {"path": "/api/v1/explain"})).json()["plan"]
        return plan

    async def export(
        self,
        text: str,
        form: str = "text/csv",
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,  # noqa: ASYNC109 - seconds that the server gives the query
    ) -> AsyncIterator[bytes]:
        """Run a query and give its rows as they come, in a form of the API: `text/csv`, `application/x-ndjson`.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        async with self.open(**asking(text, start, end, limit, timezone, timeout, form)) as answer:
            async for part in answer.aiter_bytes():
                yield part

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of the connection
    ) -> httpx.Response:
        """Any other call of the API: a path such as `/api/v1/dashboards`, and what goes with it.

        `timeout`: seconds that the server may stay silent; None: 120.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        async with self.open(
            method, path, json=json, content=content, params=params, headers=headers, timeout=timeout
        ) as answer:
            await answer.aread()
        return answer

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of the connection
    ) -> AsyncIterator[httpx.Response]:
        """As `call`, an answer that is read as it comes.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        try:
            async with self._http.stream(
                method, path, json=json, content=content, params=params, headers=headers, **patient(timeout)
            ) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer)
                yield answer
        except httpx.TransportError as why:
            raise unreachable(self._http.base_url, why) from None

    async def messages(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of the connection
    ) -> AsyncIterator[tuple[str, str]]:
        """As `call`, an answer of server-sent events: the name and the data of each, as they come.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        headers, sent = {"Accept": EVENTS}, ServerSent()
        async with self.open(method, path, json=json, params=params, headers=headers, timeout=timeout) as answer:
            async for line in _lines(answer):
                if found := sent.event(line):
                    yield found[0], found[2]

    async def items(self, path: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Everything in a list of the API, page by page.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        while True:
            page = (await self.call("GET", path, params=params)).json()
            for item in page["items"]:
                yield item
            if not page.get("next_cursor"):
                return
            params["cursor"] = page["next_cursor"]

    async def ingest(self, events: Iterable[Event], *, service: str | None = None, key: str | None = None) -> int:
        """Send events and wait until they are stored; gives how many were accepted.

        What is not acknowledged is sent again with the same `Idempotency-Key`, and stored once. `key` makes that hold
        for a later call with the same events, too.

        :raises RefusedError: the server refuses them; bodies sent before are stored
        :raises UnreachableError: `retry_for` is over
        """
        key, accepted = key or uuid.uuid4().hex, 0
        for number, body in enumerate(bodies(events)):
            accepted += await self.send(body, NDJSON, f"{key}-{number}", {"service": service} if service else {})
        return accepted

    async def send(self, body: bytes, media_type: str, key: str, params: Mapping[str, str]) -> int:
        """Send a body as it is, and wait until it is stored; gives how many events were accepted.

        `key` is its `Idempotency-Key`: while the server is away or busy it is sent again, and stored once. `params` are
        those of `/api/v1/logs`, such as `parser`.

        :raises RefusedError: the server refuses it
        :raises UnreachableError: `retry_for` is over
        """
        headers = {"Content-Type": media_type, "Idempotency-Key": key}
        patience = Patience(self._retry_for, self._waiting)
        tried: httpx.Response | httpx.TransportError
        while True:
            try:
                tried = await self._http.post(
                    "/api/v1/logs", params=params, headers=headers, content=body, timeout=TIMEOUT
                )
            except httpx.TransportError as why:
                tried = why
            else:
                if tried.is_success:
                    return int(tried.json()["accepted"])
            await anyio.sleep(patience.pause(tried))

    async def tail(self, text: str = "") -> AsyncIterator[dict[str, Any]]:
        """Events that a search finds, as they are committed, without end; a broken connection loses and repeats none.

        :raises RefusedError: the search is wrong or not allowed
        :raises UnreachableError: the server has been away for `retry_for`
        """
        messages, patience = Messages(), Patience(self._retry_for, self._waiting)
        timeout = httpx.Timeout(10, read=SILENCE_S)
        while True:
            tried: httpx.Response | httpx.TransportError
            try:
                async with self._http.stream(
                    "GET", "/api/v1/tail", params={"query": text}, headers=messages.headers(), timeout=timeout
                ) as tried:
                    if tried.is_success:
                        patience = Patience(self._retry_for, self._waiting)
                        async for line in _lines(tried):
                            if event := messages.event(line):
                                yield event
                        tried = httpx.RemoteProtocolError("the stream ended")
                    else:
                        await tried.aread()
            except httpx.TransportError as why:
                tried = why
            messages.restart()
            await anyio.sleep(patience.pause(tried))


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    lines = Lines()
    async for part in answer.aiter_bytes():
        for line in lines.ended_by(part):
            yield line
