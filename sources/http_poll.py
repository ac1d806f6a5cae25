"""An address that is asked on a schedule: JSON, lines of JSON, or text.

    sources:
      audit:
        type: http_poll
        url: "https://api.example.com/v1/audit"
        headers: {authorization: "Bearer ${TOKEN}"}
        events: data
        cursor: {parameter: after, field: next}

The cursor, and the answer's ETag, are committed together with the events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import anyio
import msgspec
from pydantic import Field, SecretStr, StringConstraints, field_validator

from ..plugins import (
    NOT_JSON,
    Batch,
    Checkpoint,
    Duration,
    HttpAddress,
    Json,
    Need,
    Outlet,
    PluginConfig,
    ProjectConfig,
    RejectedError,
    RetryableError,
    Source,
    duration_ns,
    hide_addresses,
    hookimpl,
    in_worker,
    now_ns,
    read_array,
    url_reachable,
)
from .http import read_body
from .storing import store

if TYPE_CHECKING:
    import httpx

_KEY = "http_poll"
_MOST_PAGES = 1000
"""Answers taken one right after the other; then the interval is waited, so that a cursor that runs on is no flood."""
_MOST_CURSOR = 4096  # characters: it is stored with each commit
_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson", "text": "text/plain"}


class HttpCursor(PluginConfig):
    """Where an answer says how to go on."""

    parameter: str = Field(min_length=1)
    """The parameter of the address that takes it."""
    field: str = Field(min_length=1)
    """The field that has it, nested ones with dots; an event's is named as it is stored."""
    within: Literal["answer", "event"] = "answer"
    """Whose field: the answer's (an object), or that of its last event."""
    first: str = ""
    """The first value; empty: the first request has no such parameter."""


class HttpPollConfig(ProjectConfig):
    """Settings of a source that asks an address."""

    url: HttpAddress
    """What is asked."""
    every: Duration = "1m"
    """How often."""
    method: Literal["GET", "POST"] = "GET"
    """How."""
    body: str = ""
    """What is sent with POST."""
    headers: dict[Annotated[str, StringConstraints(pattern=_NAME)], SecretStr] = Field(default_factory=dict)
    """Headers of the request, such as `authorization: "Bearer ${TOKEN}"`."""
    format: Literal["auto", "json", "ndjson", "text"] = "auto"
    """What the answer is; `auto`: what its Content-Type says, else what it looks like."""
    events: str = ""
    """The field of a JSON answer that has the array of events, nested ones with dots; empty: the answer is the array,
    or one event."""
    cursor: HttpCursor | None = None
    """How to go on where the answer before ended. While it moves, the next page is asked for at once."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""
    timeout: Duration = "30s"
    """How long an answer may take."""
    max_bytes: int = Field(16_777_216, ge=1024, le=268_435_456)
    """Bytes of an answer, unpacked."""

    @field_validator("every")
    @classmethod
    def _no_flood(cls, every: str) -> str:
        if duration_ns(every) < 100_000_000:
            raise ValueError(f"{every} is too short; use 100ms or more")
        return every


@dataclass(frozen=True, slots=True)
class _Place:
    """What the last answer said of itself."""

    cursor: str = ""
    etag: str = ""
    modified: str = ""
    taken: int = 0
    """Events of the page of this cursor that are known: the page is asked for again until it has another cursor."""

    def json(self) -> Json:
        return {"cursor": self.cursor, "etag": self.etag, "modified": self.modified, "taken": self.taken}

    @classmethod
    def of(cls, value: Json) -> _Place:
        if not isinstance(value, Mapping):
            return cls()
        cursor, etag, modified = (str(value.get(name, ""))[:_MOST_CURSOR] for name in ("cursor", "etag", "modified"))
        taken = value.get("taken")
        return cls(cursor, etag, modified, taken if isinstance(taken, int) else 0)


class HttpPoll(Source[HttpPollConfig]):
    """Ask an address at intervals, and take in the events of its answers.

    With an ETag or Last-Modified, an answer that has not changed is not taken in again.
    """

    def __init__(self, config: HttpPollConfig) -> None:
        super().__init__(config)
        self._asked = self._unchanged = self._rejected = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How often it asked, how often nothing had changed, and what the store refused."""
        return {"requests": self._asked, "unchanged_answers": self._unchanged, "rejected_events": self._rejected}

    def needs(self) -> Sequence[Need]:
        """The host that it asks."""
        return [url_reachable("url", self.config.url)]

    async def run(self, outlet: Outlet) -> None:
        """Ask until cancelled.

        :raises RetryableError: there is no answer, or another than was hoped for
        """
        import httpx  # slow to import, and few need it

        hide_addresses()
        every = duration_ns(self.config.every) / 1e9
        value = await outlet.checkpoint(_KEY)
        async with httpx.AsyncClient(timeout=duration_ns(self.config.timeout) / 1e9, follow_redirects=False) as client:
            while True:
                began = anyio.current_time()
                value = await self._round(client, outlet, value)
                outlet.started()
                await anyio.sleep(max(0.0, began + every - anyio.current_time()))

    async def _round(self, client: httpx.AsyncClient, outlet: Outlet, value: Json) -> Json:
        """Take in what there is now, page by page; the checkpoint's value then."""
        for _ in range(_MOST_PAGES):
            place = _Place.of(value)
            answer = await self._ask(client, place)
            if answer is None:
                self._unchanged += 1
                return value
            batch, fresh, size = answer
            if len(batch) or fresh != place:
                checkpoint = Checkpoint(_KEY, fresh.json(), value) if fresh != place else None
                self._rejected += await store(outlet, batch, checkpoint=checkpoint, received=size)
                value = fresh.json() if checkpoint else value
            if fresh.cursor == place.cursor or not len(batch):
                break
        return value

    async def _ask(self, client: httpx.AsyncClient, place: _Place) -> tuple[Batch, _Place, int] | None:
        """Events, what to remember, bytes; None: nothing has changed.

        :raises RetryableError: there is no answer, or another than was hoped for
        """
        import httpx

        config, cursor = self.config, self.config.cursor
        headers = {name: value.get_secret_value() for name, value in config.headers.items()}
        headers |= {"if-none-match": place.etag} if place.etag else {}
        headers |= {"if-modified-since": place.modified} if place.modified else {}
        url = httpx.URL(config.url.get_secret_value())
        if cursor is not None and (at := place.cursor or cursor.first):
            url = url.copy_set_param(cursor.parameter, at)
        self._asked += 1
        try:
            with anyio.fail_after(duration_ns(config.timeout) / 1e9):
                async with client.stream(
                    config.method, url, headers=headers, content=config.body.encode() or None
                ) as response:
                    if response.status_code == 304:
                        return None
                    self._refused(response)
                    body = await self._body(response)
        except TimeoutError:
            raise RetryableError(f"no answer within {config.timeout}", after=self._pause()) from None
        except httpx.HTTPError as why:  # its message is left out: it may hold the address, which may be a secret
            raise RetryableError(f"no connection: {type(why).__name__}", after=self._pause()) from None
        media = _MEDIA.get(config.format, response.headers.get("content-type", "").partition(";")[0].strip().lower())
        try:
            batch, at = await in_worker(self._read, body, media, now_ns())
        except RejectedError as why:
            raise RetryableError(f"the answer cannot be read: {why}", after=self._pause()) from why
        if cursor is not None and place.taken:
            batch = Batch(batch.frame.slice(place.taken))
        if at and at != place.cursor:  # the next page is asked for by its cursor, not by what this one was
            return batch, _Place(at), len(body)
        etag, modified = (response.headers.get(name, "")[:_MOST_CURSOR] for name in ("etag", "last-modified"))
        taken = place.taken + len(batch) if cursor is not None else 0
        return batch, _Place(place.cursor, etag, modified, taken), len(body)

    def _pause(self, asked: float = 0.0) -> float:
        return max(asked, duration_ns(self.config.every) / 1e9)

    def _refused(self, response: httpx.Response) -> None:
        if response.status_code == 200:
            return
        words = f"{response.status_code} {response.reason_phrase}".strip()[:100]
        if 300 <= response.status_code < 400:
            words += ": redirects are not followed; set the address it points to"
        after = response.headers.get("retry-after", "")
        raise RetryableError(f"answered {words}", after=self._pause(float(after[:5]) if after.isdecimal() else 0.0))

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self.config.max_bytes:
                raise RetryableError(
                    f"the answer has more than {self.config.max_bytes} bytes; raise max_bytes, or ask for less at once",
                    after=self._pause(),
                )
        return bytes(body)

    def _read(self, body: bytes, media: str, observed: int) -> tuple[Batch, str]:
        """The events, and the cursor where the answer has one.

        :raises RejectedError: it is not what the settings say
        """
        config, cursor = self.config, self.config.cursor
        at = _cursor_of(body, cursor.field) if cursor is not None and cursor.within == "answer" else ""
        if config.events:
            found = _inner(body, config.events.split("."))
            batch = Batch.from_lines([]) if found is None else read_array(found, observed, zone=config.timezone)
        else:
            batch = read_body(body, media, observed, config.timezone)
        if cursor is not None and cursor.within == "event":
            at = _of_last(batch, cursor.field)
        if len(at) > _MOST_CURSOR:
            raise RejectedError(f"the cursor has more than {_MOST_CURSOR} characters")
        return batch, at


def _inner(body: bytes, path: Sequence[str]) -> bytes | None:
    """The JSON of a nested member; None: there is none, or null.

    :raises RejectedError: the body is no such object
    """
    raw = msgspec.Raw(body)
    try:
        for name in path:
            inner = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(name)
            if inner is None or bytes(inner) == b"null":
                return None
            raw = inner
    except NOT_JSON as why:
        raise RejectedError(f"it has no field {'.'.join(path)}: {why}") from why
    return bytes(raw)


def _cursor_of(body: bytes, field: str) -> str:
    """The cursor in the answer; empty: it has none now."""
    found = _inner(body, field.split("."))
    return "" if found is None else _text(msgspec.json.decode(found))


def _of_last(batch: Batch, field: str) -> str:
    """The field of the last event; empty: it has none."""
    last = Batch(batch.frame.tail(1)).events()
    return _text(last[0][field]) if last and field in last[0] else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source that asks an address."""
    return [HttpPoll]
