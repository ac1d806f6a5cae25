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
from .errors import UnreachableError
from .wire import ARROW, NDJSON, SILENCE_S, Event, Messages, Moment, Patience, bodies, options, question, refusal

if TYPE_CHECKING:
    import pyarrow as pa


class AsyncClient:
    """A client of the server at `url` (else `CORDWOOD_URL`), with `token` (else `CORDWOOD_TOKEN`).

    `retry_for`: seconds that sending and following go on trying while the server is away or busy.

    :raises CordwoodError: there is no URL
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, retry_for: float = 60) -> None:
        self._http = httpx.AsyncClient(**options(url, token))
        self._retry_for = retry_for

    @classmethod
    def over(cls, http: httpx.AsyncClient, *, retry_for: float = 60) -> Self:
        """A client that speaks through `http`, which has the address and whatever lets it in; its owner closes it."""
        made = cls.__new__(cls)
        made._http, made._retry_for = http, retry_for
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
        async with self._asked(question(text, start, end, limit, timezone, timeout), "application/json") as answer:
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
        async with self._asked(question(text, start, end, limit, timezone, timeout), NDJSON) as answer:
            async for line in answer.aiter_lines():
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

        async with self._asked(question(text, start, end, limit, timezone, timeout), ARROW) as answer:
            return pyarrow.ipc.open_stream(io.BytesIO(await answer.aread())).read_all()

    @asynccontextmanager
    async def _asked(self, asked: dict[str, Any], accept: str) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream("POST", "/api/v1/query", headers={"Accept": accept}, **asked) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer)
                yield answer
        except httpx.TransportError as why:
            raise UnreachableError(f"{self._http.base_url} cannot be reached: {why}") from None

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Any other call of the API: a path such as `/api/v1/dashboards`, and what goes with it.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        try:
            answer = await self._http.request(method, path, json=json, content=content, params=params, headers=headers)
        except httpx.TransportError as why:
            raise UnreachableError(f"{self._http.base_url} cannot be reached: {why}") from None
        if not answer.is_success:
            raise refusal(answer)
        return answer

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
            accepted += await self._send(body, f"{key}-{number}", {"service": service} if service else {})
        return accepted

    async def _send(self, body: bytes, key: str, params: dict[str, str]) -> int:
        headers = {"Content-Type": NDJSON, "Idempotency-Key": key}
        patience = Patience(self._retry_for)
        tried: httpx.Response | httpx.TransportError
        while True:
            try:
                tried = await self._http.post("/api/v1/logs", params=params, headers=headers, content=body)
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
        messages, patience = Messages(), Patience(self._retry_for)
        timeout = httpx.Timeout(10, read=SILENCE_S)
        while True:
            tried: httpx.Response | httpx.TransportError
            try:
                async with self._http.stream(
                    "GET", "/api/v1/tail", params={"query": text}, headers=messages.headers(), timeout=timeout
                ) as tried:
                    if tried.is_success:
                        patience = Patience(self._retry_for)
                        async for line in tried.aiter_lines():
                            if event := messages.event(line):
                                yield event
                        tried = httpx.RemoteProtocolError("the stream ended")
                    else:
                        await tried.aread()
            except httpx.TransportError as why:
                tried = why
            messages.restart()
            await anyio.sleep(patience.pause(tried))
