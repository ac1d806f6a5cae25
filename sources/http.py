"""Logs by HTTP: `POST /api/v1/logs` takes lines of JSON, a JSON array, or text lines.

    curl --data-binary @app.log 'localhost:8080/api/v1/logs?service=shop'

The answer `{"accepted": n}` comes after the commit. What the body is, its Content-Type says; without one, or with the
one that curl sends by itself, its first character does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ..plugins import (
    NOT_JSON,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Json,
    Outlet,
    Part,
    PluginConfig,
    Receipt,
    RejectedError,
    Together,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
    read_array,
    read_ndjson,
    split_lines,
)

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines",
                    "application/jsonl", "application/json-lines", "application/json-seq"})  # fmt: skip
FORM = "application/x-www-form-urlencoded"
UNKNOWN = frozenset({"", FORM, "application/octet-stream", "*/*"})
"""What clients send when they do not know: curl's own default is the form type."""
BINARY = re.compile(
    r"(image|audio|video|font|multipart)/|application/(.*protobuf|.*msgpack|.*avro|.*parquet|pdf|zip|.*cbor)"
)
_FORM = re.compile(rb"[\w.%+*~-]+=[\w.%+*~-]*(&[\w.%+*~-]+=[\w.%+*~-]*)+", re.ASCII)
"""A form of two fields or more, as Python's HTTPHandler sends each event; no line of a log looks like it."""
MAX_KEY = 255
"""Characters of an Idempotency-Key: it is stored for 24 hours, in an index."""
JOINED = 512 * 1024
"""Bytes of a body up to which it is read together with others: to read and commit one alone takes 15 ms before its
first event, as much as 4,000 events take."""
TOGETHER = 4 * 1024 * 1024
"""Bytes of bodies that are read together at most."""
FORM_BYTES = 32 * 1024
"""Of a form that is read as an event."""
WIDE = 300
"""Columns beyond which bodies are read each alone."""
_LINES = "application/x-ndjson"
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


_Kind: TypeAlias = tuple[int, ZoneInfo, str | None]
"""What bodies that are read together have in common: where they go (the outlet's id), zone, service."""


class HttpConfig(PluginConfig):
    """Settings of the HTTP log endpoint."""

    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times that come without an offset, unless the request says `?timezone=`."""


class Http(HttpSource[HttpConfig]):
    """Take events in by `POST /api/v1/logs`: NDJSON, a JSON array, or text lines.

    `?parser=T` with `?parser.SETTING=V` parses the lines first, `?timestamp_from=F` takes the time from a field,
    `?service=S` is the service of events that name none, `?timezone=Z` the zone of times without an offset.
    `Idempotency-Key: K` sent again within 24 hours stores nothing.
    """

    routes: ClassVar = [("POST", "/api/v1/logs")]

    def __init__(self, config: HttpConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()
        self._joined: Together[_Kind, _Body, Receipt] = Together(self._send_together, most=TOGETHER)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer `{"accepted": n}` after the commit of the body's events.

        :raises RejectedError: the body is a JSON array that does not parse, or a parameter is wrong
        :raises RetryableError: the store does not answer
        """
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if BINARY.match(media):
            return _unsupported(media)
        zone = _zone(request.query.get("timezone"), self.config.timezone)
        key = _idempotency_key(request.headers.get("idempotency-key"))
        parser = _parsers(request.query)
        service = request.query.get("service")
        joinable = media in NDJSON and media != "application/json-seq" and parser is None
        if joinable and len(request.body) <= JOINED and (rows := _lines(request.body)):
            body = _Body(outlet, request.body.removeprefix(_BOM).strip(_SPACE), Part(rows, key, len(request.body)))
            receipt = await self._joined.do((id(outlet), zone, service), body, len(request.body))
            return _accepted((await receipt.committed()).accepted)
        batch = await in_worker(read_body, request.body, media, now_ns(), zone, limiter=self._threads)
        if not len(batch):
            return _accepted(0)
        batch = batch.with_default(service=service)
        receipt = await outlet.send(batch, key=key, parser=parser, received=len(request.body))
        return _accepted((await receipt.committed()).accepted)

    async def _send_together(self, kind: _Kind, bodies: Sequence[_Body]) -> Sequence[Receipt]:
        """Bodies that came at the same time as one batch, or each alone where one of them is odd."""
        (_, zone, service), outlet = kind, bodies[0].outlet
        batch = await in_worker(_read_together, bodies, now_ns(), zone, limiter=self._threads)
        if batch is not None:
            return await outlet.send_parts(batch.with_default(service=service), [body.part for body in bodies])
        receipts: list[Receipt] = []
        for body in bodies:
            alone = await in_worker(read_body, body.lines, _LINES, now_ns(), zone, limiter=self._threads)
            receipts.append(
                await outlet.send(alone.with_default(service=service), key=body.part.key, received=body.part.received)
            )
        return receipts


@dataclass(frozen=True, slots=True)
class _Body:
    """Lines of JSON that are read together with those of others."""

    outlet: Outlet
    lines: bytes
    part: Part


def _lines(body: bytes) -> int:
    """How many events `read_ndjson` makes of the lines."""
    return sum(1 for line in body.split(b"\n") if line.strip())


def _read_together(bodies: Sequence[_Body], observed: int, zone: ZoneInfo) -> Batch | None:
    """The events of all bodies, in order; None: read each alone.

    Bodies of many fields are not joined: each event would have a column for every field of the others.
    """
    batch = read_ndjson(b"\n".join(body.lines for body in bodies), observed, zone=zone)
    if len(bodies) > 1 and (len(batch.frame.columns) > WIDE or len(batch) != sum(body.part.rows for body in bodies)):
        return None
    return batch


def read_body(body: bytes, media: str, observed: int, zone: ZoneInfo) -> Batch:
    """The events of a body of this media type (lower case, without parameters), in order.

    :raises RejectedError: it is JSON as a whole (no lines) and does not parse
    """
    body = body.removeprefix(_BOM)
    first = body.lstrip(_SPACE)[:1]
    if not first:
        return Batch.from_lines([], observed=observed)
    if media in NDJSON:
        return read_ndjson(body.replace(b"\x1e", b"") if media == "application/json-seq" else body, observed, zone=zone)
    if media == "application/json" or media.endswith("+json"):
        return _json(body, first, observed, zone)
    if media == FORM and len(body) <= FORM_BYTES and _FORM.fullmatch(body):
        fields = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="replace"))
        return read_ndjson(msgspec.json.encode(fields), observed, zone=zone)
    if media in UNKNOWN or not media.startswith("text/"):
        guessed = _guess(body, first, observed, zone)
        if guessed is not None:
            return guessed
    return Batch.from_lines(split_lines(body), observed=observed)


def _guess(body: bytes, first: bytes, observed: int, zone: ZoneInfo) -> Batch | None:
    """The events of a body of unknown type that looks like JSON; None: lines of text, such as `[error] disk full`."""
    if first == b"{":
        return _json(body, first, observed, zone, strict=False)
    if first == b"[":
        try:
            return _json(body, first, observed, zone)
        except RejectedError:
            if body.lstrip(_SPACE)[1:].lstrip(_SPACE).startswith(b"{"):
                raise
    return None


def _json(body: bytes, first: bytes, observed: int, zone: ZoneInfo, *, strict: bool = True) -> Batch:
    """An array of objects, one object, or (many send it under this type) lines of objects."""
    if first == b"[":
        return read_array(body, observed, zone=zone)
    if first != b"{" and strict:
        raise RejectedError("the body is JSON but neither an object nor an array of objects")
    if b"\n" in body.strip(_SPACE):
        line = body.lstrip(_SPACE).partition(b"\n")[0]
        if _problem(line) and not (why := _problem(body)):
            body = msgspec.json.format(body, indent=-1)
        elif strict and _problem(line) and why:
            raise RejectedError(f"the body is no JSON object: {why}")
    elif strict and (why := _problem(body)):
        raise RejectedError(f"the body is no JSON object: {why}")
    return read_ndjson(body, observed, zone=zone)


def _problem(text: bytes) -> str:
    """Why these bytes are not one JSON value; empty: they are."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as why:
        return str(why) if "(byte " in str(why) else f"{why} (byte {len(text)})"  # cut off: msgspec names no byte then
    except RecursionError:
        return ""  # one line of JSON, too deep to be read: it is kept as it came
    return ""


def _zone(name: str | None, default: ZoneInfo) -> ZoneInfo:
    if not name:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as why:
        raise RejectedError(f"timezone={name[:80]!r} is no IANA time zone; write one such as Europe/Berlin") from why


def _idempotency_key(key: str | None) -> str | None:
    if not key:
        return None
    if len(key) > MAX_KEY or not key.isprintable():
        raise RejectedError(f"the Idempotency-Key must have 1 to {MAX_KEY} printable characters")
    return key


def _parsers(query: Mapping[str, str]) -> Mapping[str, Json] | Sequence[Mapping[str, Json]] | None:
    """The parser of the request, and after it the one for `?timestamp_from=FIELD`."""
    parser = _parser(query)
    if not query.get("timestamp_from"):
        return parser
    stamp: dict[str, Json] = {"type": "timestamp", "field": query["timestamp_from"]}
    if query.get("timezone"):
        stamp["timezone"] = query["timezone"]
    return [parser, stamp] if parser else stamp


def _parser(query: Mapping[str, str]) -> dict[str, Json] | None:
    """`?parser=T&parser.a=1&parser.b.c=2` as {"type": T, "a": "1", "b": {"c": "2"}}, as a step of the YAML has it.

    Values stay text, to be converted by the parser's own settings; `parser.a=["x"]` and `parser.a={"k": 1}` are JSON.
    """
    settings = {name.removeprefix("parser."): value for name, value in query.items() if name.startswith("parser.")}
    if not query.get("parser"):
        if settings:
            raise RejectedError(f"parser.{next(iter(settings))} is given without parser=")
        return None
    parser: dict[str, Json] = {"type": query["parser"]}
    for name, value in settings.items():
        setting, dot, key = name.partition(".")
        if not dot:
            parser[setting] = _value(value)
            continue
        group = parser.setdefault(setting, {})
        if not isinstance(group, dict):
            raise RejectedError(f"parser.{setting} and parser.{name} cannot both be given")
        group[key] = value
    if query.get("timezone"):
        parser.setdefault("timezone", query["timezone"])
    return parser


def _value(text: str) -> Json:
    if text.startswith(('["', '{"')):
        try:
            value: Json = msgspec.json.decode(text)
        except NOT_JSON:
            return text  # a regular expression may start so
        return value
    return text


def _accepted(count: int) -> HttpResponse:
    return HttpResponse(200, msgspec.json.encode({"accepted": count}))


def _unsupported(media: str) -> HttpResponse:
    detail = f"{media} is no log format; send application/x-ndjson, application/json or text/plain"
    problem = {"type": "about:blank", "title": "Unsupported Media Type", "status": 415, "detail": detail}
    return HttpResponse(415, msgspec.json.encode(problem), "application/problem+json")


@hookimpl
def cordwood_plugins() -> list[type[Http]]:
    """The HTTP log endpoint."""
    return [Http]
