"""`Client`: each call waits for its answer. It may be used by several threads."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

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


class Client:
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
        self._http = httpx.Client(**options(url, token))
        self._retry_for, self._waiting = retry_for, waiting

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def query(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,
    ) -> Answer:
        """Run a query and hold its rows.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        with self.open(**asking(text, start, end, limit, timezone, timeout, "application/json")) as answer:
            return Answer.of(json.loads(answer.read()))

    def stream(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,
    ) -> Iterator[dict[str, Any]]:
        """Run a query and give its rows one by one, without holding them; values that are null are left out.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        with self.open(**asking(text, start, end, limit, timezone, timeout, NDJSON)) as answer:
            for line in _lines(answer):
                yield json.loads(line)

    def arrow(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,
    ) -> pa.Table:
        """Run a query and give its rows as an Arrow table, ready for polars and pandas.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        import pyarrow.ipc

        with self.open(**asking(text, start, end, limit, timezone, timeout, ARROW)) as answer:
            return pyarrow.ipc.open_stream(io.BytesIO(answer.read())).read_all()

    def explain(
        self,
        text: str,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,
    ) -> dict[str, Any]:
        """How a query would be run, without running it.

        :raises RefusedError: the query is wrong or not allowed
        :raises UnreachableError: the server cannot answer
        """
        asked = asking(text, start, end, limit, timezone, timeout, "application/json")
        plan: dict[str, Any] = (self.call(**asked | {"path": "/api/v1/explain"})).json()["plan"]
        return plan

    def export(
        self,
        text: str,
        form: str = "text/csv",
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        timezone: str = "UTC",
        timeout: float = 30,
    ) -> Iterator[bytes]:
        """Run a query and give its rows as they come, in a form of the API: `text/csv`, `application/x-ndjson`.

        :raises RefusedError: the query is wrong, too large or not allowed
        :raises UnreachableError: the server cannot answer
        """
        with self.open(**asking(text, start, end, limit, timezone, timeout, form)) as answer:
            yield from answer.iter_bytes()

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Any other call of the API: a path such as `/api/v1/dashboards`, and what goes with it.

        `timeout`: seconds that the server may stay silent; None: 120.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        with self.open(
            method, path, json=json, content=content, params=params, headers=headers, timeout=timeout
        ) as answer:
            answer.read()
        return answer

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[httpx.Response]:
        """As `call`, an answer that is read as it comes.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        try:
            with self._http.stream(
                method, path, json=json, content=content, params=params, headers=headers, **patient(timeout)
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    raise refusal(answer)
                yield answer
        except httpx.TransportError as why:
            raise unreachable(self._http.base_url, why) from None

    def messages(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Iterator[tuple[str, str]]:
        """As `call`, an answer of server-sent events: the name and the data of each, as they come.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        headers, sent = {"Accept": EVENTS}, ServerSent()
        with self.open(method, path, json=json, params=params, headers=headers, timeout=timeout) as answer:
            for line in _lines(answer):
                if found := sent.event(line):
                    yield found[0], found[2]

    def items(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Everything in a list of the API, page by page.

        :raises RefusedError: the server refuses
        :raises UnreachableError: the server cannot answer
        """
        while True:
            page = self.call("GET", path, params=params).json()
            yield from page["items"]
            if not page.get("next_cursor"):
                return
            params["cursor"] = page["next_cursor"]

    def ingest(self, events: Iterable[Event], *, service: str | None = None, key: str | None = None) -> int:
        """Send events and wait until they are stored; gives how many were accepted.

        What is not acknowledged is sent again with the same `Idempotency-Key`, and stored once. `key` makes that hold
        for a later call with the same events, too.

        :raises RefusedError: the server refuses them; bodies sent before are stored
        :raises UnreachableError: `retry_for` is over
        """
        key, accepted = key or uuid.uuid4().hex, 0
        for number, body in enumerate(bodies(events)):
            accepted += self.send(body, NDJSON, f"{key}-{number}", {"service": service} if service else {})
        return accepted

    def send(self, body: bytes, media_type: str, key: str, params: Mapping[str, str]) -> int:
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
                tried = self._http.post("/api/v1/logs", params=params, headers=headers, content=body, timeout=TIMEOUT)
            except httpx.TransportError as why:
                tried = why
            else:
                if tried.is_success:
                    return int(tried.json()["accepted"])
            time.sleep(patience.pause(tried))

    def tail(self, text: str = "") -> Iterator[dict[str, Any]]:
        """Events that a search finds, as they are committed, without end; a broken connection loses and repeats none.

        :raises RefusedError: the search is wrong or not allowed
        :raises UnreachableError: the server has been away for `retry_for`
        """
        messages, patience = Messages(), Patience(self._retry_for, self._waiting)
        timeout = httpx.Timeout(10, read=SILENCE_S)
        while True:
            tried: httpx.Response | httpx.TransportError
            try:
                with self._http.stream(
                    "GET", "/api/v1/tail", params={"query": text}, headers=messages.headers(), timeout=timeout
                ) as tried:
                    if tried.is_success:
                        patience = Patience(self._retry_for, self._waiting)
                        for line in _lines(tried):
                            if event := messages.event(line):
                                yield event
                        tried = httpx.RemoteProtocolError("the stream ended")
                    else:
                        tried.read()
            except httpx.TransportError as why:
                tried = why
            messages.restart()
            time.sleep(patience.pause(tried))


def _lines(answer: httpx.Response) -> Iterator[str]:
    lines = Lines()
    for part in answer.iter_bytes():
        yield from lines.ended_by(part)
