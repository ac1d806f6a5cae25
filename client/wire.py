"""What goes over the wire, the same for both clients; nothing here waits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import httpx

from .errors import CordwoodError, RefusedError, UnreachableError

Event = Mapping[str, Any]
Moment = datetime | str
Waiting = Callable[[str], None]
"""Is told why something is tried again."""

NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
EVENTS: Final = "text/event-stream"
TIMEOUT: Final = httpx.Timeout(10, read=120, write=120)
SILENCE_S: Final = 35.0
"""Seconds without a word after which a tail counts as broken; the server says something every 10."""
_BODY_BYTES: Final = 1024 * 1024
_BODY_EVENTS: Final = 5000
_RETRIED: Final = frozenset({429, 502, 503, 504})
_FIRST_WAIT_S: Final = 0.25
_LONGEST_WAIT_S: Final = 10.0


def options(url: str | None, token: str | None) -> dict[str, Any]:
    """Options of an httpx client; what is None comes from `CORDWOOD_URL` and `CORDWOOD_TOKEN`.

    :raises CordwoodError: there is no URL, or it is none
    """
    url = (url or os.environ.get("CORDWOOD_URL", "")).strip()
    if not url.startswith(("http://", "https://")):
        raise CordwoodError("give the server's URL, or set CORDWOOD_URL; it begins with http:// or https://")
    token = (token or os.environ.get("CORDWOOD_TOKEN", "")).strip()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {"base_url": url, "headers": headers, "timeout": TIMEOUT}


def asking(
    text: str, start: Moment | None, end: Moment | None, limit: int | None, timezone: str, timeout: float, form: str
) -> dict[str, Any]:
    """Arguments of `open` for a query whose answer has this form; it is read for as long as the query may run, and a
    little more.
    """
    body: dict[str, Any] = {"query": text, "timezone": timezone, "timeout": timeout}
    body |= {"from": _moment(start)} if start is not None else {}
    body |= {"to": _moment(end)} if end is not None else {}
    body |= {"limit": limit} if limit is not None else {}
    return {
        "method": "POST",
        "path": "/api/v1/query",
        "json": body,
        "headers": {"Accept": form},
        "timeout": timeout + 10,
    }


def patient(timeout: float | None) -> dict[str, Any]:
    """The argument of a request whose answer may stay silent for so many seconds; None: as long as any."""
    return {} if timeout is None else {"timeout": httpx.Timeout(10, read=timeout, write=120)}


def _moment(value: Moment) -> str:
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise CordwoodError(f"{value.isoformat()} has no time zone: give a datetime with tzinfo")
    return value.isoformat()


def refusal(response: httpx.Response) -> CordwoodError:
    """The error for an answer that is no success; its body must have been read."""
    try:
        found = response.json()
    except ValueError:
        found = None
    text = f"HTTP {response.status_code} {response.text[:200]}".strip()
    problem = found if isinstance(found, dict) and found else {"detail": text}
    return refused(response.status_code, problem)


def unreachable(url: httpx.URL, why: httpx.TransportError) -> UnreachableError:
    """The error for a request that had no answer."""
    return UnreachableError(f"{url} cannot be reached: {str(why) or type(why).__name__}")


def refused(status: int, problem: Mapping[str, Any]) -> CordwoodError:
    """The error for a problem that the server told (RFC 9457)."""
    detail = str(problem.get("detail") or problem.get("title") or "no word of why")
    if status in (502, 503, 504):
        return UnreachableError(f"the server cannot answer now: {detail}")
    return RefusedError(status, detail, problem.get("errors") or ())


def bodies(events: Iterable[Event]) -> Iterator[bytes]:
    """The events as NDJSON, in bodies of at most 1 MiB and 5,000 events (a larger event goes alone)."""
    lines, size = list[bytes](), 0
    for event in events:
        line = json.dumps(event, ensure_ascii=False, default=str).encode("utf-8", "replace")
        if lines and (size + len(line) > _BODY_BYTES or len(lines) == _BODY_EVENTS):
            yield b"\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield b"\n".join(lines)


class Patience:
    """How long to wait before it is tried again: doubling, or as the server says, until `seconds` are over.

    `waiting` is told each time why.
    """

    def __init__(self, seconds: float, waiting: Waiting | None) -> None:
        self._seconds, self._until, self._wait = seconds, time.monotonic() + seconds, _FIRST_WAIT_S
        self._waiting = waiting

    def pause(self, tried: httpx.Response | httpx.TransportError) -> float:
        """Seconds until the next try.

        :raises RefusedError: it makes no sense to try again
        :raises UnreachableError: the time is over
        """
        after = ""
        if isinstance(tried, httpx.Response):
            if tried.status_code not in _RETRIED:
                raise refusal(tried)
            after, why = tried.headers.get("retry-after", ""), f"HTTP {tried.status_code}"
        else:
            why = str(tried) or type(tried).__name__
        pause = max(self._wait, float(after)) if after.isascii() and after.isdigit() else self._wait
        if time.monotonic() + pause > self._until:
            raise UnreachableError(f"the server did not answer within {self._seconds:g} s: {why}")
        self._wait = min(_LONGEST_WAIT_S, self._wait * 2)
        if self._waiting is not None:
            self._waiting(why)
        return pause


class Lines:
    """Lines of an answer. They end with a line feed: in a text of JSON any other line end of Unicode may stand."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def ended_by(self, part: bytes) -> Iterator[str]:
        """The lines that end in this part, of UTF-8."""
        first, *more = part.split(b"\n")
        self._begun.append(first)
        for line in more:
            yield b"".join(self._begun).removesuffix(b"\r").decode()
            self._begun = [line]


class ServerSent:
    """Server-sent events out of lines (WHATWG HTML, "Server-sent events"); comments are left out."""

    def __init__(self) -> None:
        self._name, self._id, self._data = "message", "", list[str]()

    def event(self, line: str) -> tuple[str, str, str] | None:
        """(event, id, data) that the line completes, if it does; an id holds until there is another."""
        if line:
            self._field(line)
            return None
        found = (self._name, self._id, "\n".join(self._data)) if self._data else None
        self._name, self._data = "message", []
        return found

    def _field(self, line: str) -> None:
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            self._name = value
        elif key == "id":
            self._id = value
        elif key == "data":
            self._data.append(value)


class Messages:
    """The events of a tail; `last` is the id of the last one."""

    def __init__(self) -> None:
        self.last = ""
        self.restart()

    def restart(self) -> None:
        """A new connection: what was half read is forgotten, for it comes again."""
        self._lines = ServerSent()

    def headers(self) -> dict[str, str]:
        """Headers of a request that goes on after the last message."""
        return {"Accept": EVENTS} | ({"Last-Event-ID": self.last} if self.last else {})

    def event(self, line: str) -> dict[str, Any] | None:
        """The event that the line completes, if it does.

        :raises RefusedError: the server says that it cannot go on, and why
        :raises RemoteProtocolError: it cannot go on now, and may when asked again
        """
        name, id_, data = self._lines.event(line) or ("", "", "")
        if name == "event":
            found: dict[str, Any] = json.loads(data)
            self.last = id_ or self.last
            return found
        if name == "problem":
            problem = json.loads(data)
            why = refused(int(problem["status"]), problem)
            raise httpx.RemoteProtocolError(str(why)) if isinstance(why, UnreachableError) else why
        return None
