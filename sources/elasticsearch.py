"""Logs by Elasticsearch's bulk API: what Beats, Logstash, Fluent Bit, Vector and the Elasticsearch clients send.

    curl -H 'Content-Type: application/x-ndjson' --data-binary @bulk.ndjson localhost:8080/_bulk

The calls that clients make at their start are answered as by a server that has everything already.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress
from time import perf_counter
from typing import ClassVar

import msgspec
import polars as pl

from ..plugins import (
    NOT_JSON,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Json,
    Outlet,
    PluginConfig,
    RejectedError,
    adopt,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
)

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
"""Clients refuse to go on where an answer lacks it."""
ECS = {"trace.id": "trace_id", "span.id": "span_id"}
_CLIENT = re.compile(r"elastic|opensearch|beat/|logstash|fluent|vector/|es-hadoop", re.IGNORECASE)
_ERRORS = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    413: "content_too_long_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}
_NAMED = ("_index_template", "_component_template", "_template", "_ilm/policy", "_data_stream", "_ingest/pipeline",
          "_alias")  # fmt: skip
"""What clients look for and make at their start."""


class ElasticsearchConfig(PluginConfig):
    """Settings of the Elasticsearch endpoint."""

    version: str = "8.19.0"
    """The version that `GET /` tells: clients refuse servers that are much older than themselves."""


class _Target(msgspec.Struct, frozen=True):
    index: str | None = msgspec.field(name="_index", default=None)
    id: str | int | None = msgspec.field(name="_id", default=None)


class _Action(msgspec.Struct, frozen=True):
    index: _Target | None = None
    create: _Target | None = None
    update: _Target | None = None
    delete: _Target | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk body: for each item its operation and target; `documents` are those of `index` and `create`, in order."""

    items: Sequence[tuple[str, _Target]]
    documents: Sequence[bytes]


class Elasticsearch(HttpSource[ElasticsearchConfig]):
    """Take events in by Elasticsearch's `_bulk` and `_doc`.

    The index becomes the field `_index`, an `_id` that the client chose the field `_id`; ECS names are understood.
    Every item of a bulk is answered: a document that is no JSON object is kept with `parse_error`; `update` and
    `delete` are refused, for events never change. A bulk whose documents all have an `_id` is stored once, however
    often it is sent within 24 hours. `GET /` is answered to clients only: a browser gets the UI.
    """

    routes: ClassVar = [
        *((method, path) for method in ("POST", "PUT") for path in ("/_bulk", "/{index}/_bulk", "/{index}/_doc/{id}",
                                                                  "/{index}/_create/{id}")),
        ("POST", "/{index}/_doc"),
        ("POST", "/{index}/{kind}/_bulk"),
        *((method, path) for method in ("GET", "HEAD") for path in ("/", "/_cluster/health", "/_license", "/_xpack")),
        ("GET", "/_nodes/http"),
        *((method, f"/{path}/{{name}}") for path in _NAMED for method in ("GET", "HEAD", "PUT")),
    ]  # fmt: skip

    def __init__(self, config: ElasticsearchConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()
        self._starts: dict[str, Mapping[str, Json]] = {
            "/": {
                "name": "cordwood",
                "cluster_name": "cordwood",
                "cluster_uuid": "Y29yZHdvb2QtY2x1c3Rlcg",
                "version": {
                    "number": config.version,
                    "build_flavor": "default",
                    "build_type": "tar",
                    "build_hash": "0000000000000000000000000000000000000000",
                    "build_date": "2026-01-01T00:00:00.000000000Z",
                    "build_snapshot": False,
                    "lucene_version": "9.12.0",
                    "minimum_wire_compatibility_version": "7.17.0",
                    "minimum_index_compatibility_version": "7.0.0",
                },
                "tagline": "You Know, for Search",
            },
            "/_cluster/health": {
                "cluster_name": "cordwood",
                "status": "green",
                "timed_out": False,
                "number_of_nodes": 1,
                "number_of_data_nodes": 1,
                "active_primary_shards": 1,
                "active_shards": 1,
                "unassigned_shards": 0,
            },
            "/_license": {"license": {"uid": "cordwood", "type": "basic", "mode": "basic", "status": "active"}},
            "/_xpack": {
                "license": {"uid": "cordwood", "type": "basic", "mode": "basic", "status": "active"},
                "features": {"ilm": {"available": True, "enabled": True}},
            },
            "/_nodes/http": {"cluster_name": "cordwood", "nodes": {}},
        }

    def concerns(self, path: str, headers: Mapping[str, str]) -> bool:
        """`/` belongs to the UI, unless a client of Elasticsearch asks."""
        if path != "/":
            return True
        accept = headers.get("accept", "")
        return "text/html" not in accept and (
            "json" in accept
            or "x-elastic-client-meta" in headers
            or bool(_CLIENT.search(headers.get("user-agent", "")))
        )

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """`{"error": {"type", "reason", …}, "status"}`."""
        cause: dict[str, Json] = {"type": _ERRORS.get(status, "exception"), "reason": detail}
        return _answer({"error": {"root_cause": [cause], **cause}, "status": status}, status)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer after the commit of the documents; the calls of a start at once.

        :raises RejectedError: the body is no bulk at all
        :raises RetryableError: the store does not answer
        """
        if (known := self._starts.get(request.path)) is not None:
            return _answer(known)
        if request.path.endswith("/_bulk"):
            return await self._bulk(request, outlet)
        if "index" in request.path_params:
            return await self._document(request, outlet)
        return _answer({"acknowledged": True} if request.method == "PUT" else {})

    async def _bulk(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        began = perf_counter()
        index = request.path_params.get("index")
        bulk, batch = await in_worker(_read, request.body, index, limiter=self._threads)
        if len(batch):
            once = all(target.id is not None for _, target in bulk.items)
            key = f"elasticsearch {_digest(request)}" if once else None
            await (await outlet.send(batch, key=key, received=len(request.body))).committed()
        took = int(1000 * (perf_counter() - began))
        body = await in_worker(answer_items, bulk, index, took, request.query.get("filter_path"), limiter=self._threads)
        return HttpResponse(200, body, headers=PRODUCT)

    async def _document(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        index, given = request.path_params["index"], request.path_params.get("id")
        if not request.body.strip():
            raise RejectedError("request body is required")
        try:
            line = msgspec.json.format(request.body, indent=-1)
        except NOT_JSON as why:
            raise RejectedError(f"the document is no JSON: {why}") from why
        bulk = Bulk([("index", _Target(index, given))], [line])
        batch = await in_worker(_batch, bulk, index, limiter=self._threads)
        key = f"elasticsearch {_digest(request)}" if given else None
        await (await outlet.send(batch, key=key, received=len(request.body))).committed()
        shards: Json = {"total": 1, "successful": 1, "failed": 0}
        found: dict[str, Json] = {"_index": index, "_id": given or secrets.token_urlsafe(15), "_version": 1}
        return _answer({**found, "result": "created", "_shards": shards, "_seq_no": 0, "_primary_term": 1}, 201)


def _read(body: bytes, index: str | None) -> tuple[Bulk, Batch]:
    bulk = read_bulk(body)
    return bulk, _batch(bulk, index)


def read_bulk(body: bytes) -> Bulk:
    """The items of a bulk body: a line that says what to do, and, except for `delete`, a line with the document.

    :raises RejectedError: with the number of the line that says nothing to do, as Elasticsearch counts them
    """
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not lines:
        raise RejectedError("request body is required")
    fast = _alternating(lines)
    if fast is not None:
        return fast
    items: list[tuple[str, _Target]] = []
    documents = []
    rest = iter(enumerate(lines, 1))
    for number, line in rest:
        try:
            action = _DECODER.decode(line)
        except NOT_JSON as why:
            raise RejectedError(f"Malformed action/metadata line [{number}]: {why}") from why
        item = _item(action)
        if item is None:
            expected = "expected field [create], [delete], [index] or [update]"
            raise RejectedError(f"Malformed action/metadata line [{number}], {expected}")
        if item[0] != "delete":
            document = next(rest, None)
            if document is None:
                raise RejectedError(f"Malformed action/metadata line [{number}], no document follows")
            if item[0] != "update":
                documents.append(document[1])
        items.append(item)
    return Bulk(items, documents)


_DECODER = msgspec.json.Decoder(_Action)
_ALL = msgspec.json.Decoder(list[_Action])


def _alternating(lines: Sequence[bytes]) -> Bulk | None:
    """The items where every second line is a new document, the usual case; None: they are not so."""
    actions = lines[0::2]
    if len(lines) % 2:
        return None
    # Without ids the same few lines come again and again, and each is read once.
    distinct = list(dict.fromkeys(actions))
    try:
        decoded = _ALL.decode(b"[" + b",".join(distinct) + b"]")
    except NOT_JSON:
        return None
    if len(decoded) != len(distinct):
        return None
    known: dict[bytes, tuple[str, _Target]] = {}
    for line, action in zip(distinct, decoded, strict=True):
        if action.index is not None:
            known[line] = ("index", action.index)
        elif action.create is not None:
            known[line] = ("create", action.create)
        else:
            return None
    return Bulk([known[line] for line in actions], lines[1::2])


def _item(action: _Action) -> tuple[str, _Target] | None:
    for name in ("index", "create", "update", "delete"):
        target: _Target | None = getattr(action, name)
        if target is not None:
            return name, target
    return None


def _batch(bulk: Bulk, index: str | None) -> Batch:
    """The documents as events, with `_index` and `_id` where the documents have no such fields themselves."""
    batch = adopt(read_ndjson(b"\n".join(bulk.documents), now_ns()), ECS)
    targets = [target for op, target in bulk.items if op in ("index", "create")]
    columns = {
        "_index": [target.index or index for target in targets],
        "_id": [None if target.id is None else str(target.id) for target in targets],
    }
    given = [name for name, values in columns.items() if any(values) and name not in batch.frame.columns]
    if not given or len(batch) != len(targets):
        return batch
    return Batch.of(batch.frame.with_columns(pl.Series(name, columns[name], dtype=pl.String) for name in given))


def answer_items(bulk: Bulk, index: str | None, took: int, filter_path: str | None) -> bytes:
    """The answer to a bulk, an item for each of its items; Python an item, but only text is put together.

    :param filter_path: Elasticsearch's own, as far as shippers use it: `errors`, `took`, `items.*.status`, …
    """
    wanted = set(filter_path.split(",")) if filter_path else {"took", "errors", "items"}
    whole = bool(wanted & {"items", "items.*", "items.**", "items.*.*"})
    refused = [op in _NO_OPS for op, _ in bulk.items]
    parts = []
    if "took" in wanted:
        parts.append(b'"took":%d' % took)
    if "errors" in wanted:
        parts.append(b'"errors":true' if any(refused) else b'"errors":false')
    if whole or "items.*.status" in wanted:
        parts.append(b'"items":[%b]' % b",".join(_items(bulk, index, whole=whole)))
    elif any(name.startswith("items.") for name in wanted) and any(refused):
        items = [b"".join(_frame(op, "", whole=False)) for op, _ in compress(bulk.items, refused)]
        parts.append(b'"items":[%b]' % b",".join(items))
    return b"{%b}" % b",".join(parts)


_encode = msgspec.json.Encoder().encode
_NO_OPS = ("update", "delete")
_NEVER = b"events never change: Cordwood takes index and create, no update and no delete"


def _items(bulk: Bulk, index: str | None, *, whole: bool) -> Iterator[bytes]:
    """An answer for each item. Those of the same index differ in id and number alone."""
    made = secrets.token_hex(8).encode()  # ids for documents that came without one begin so
    frames: dict[tuple[str, str | None], tuple[bytes, bytes]] = {}
    for number, (op, target) in enumerate(bulk.items):
        frame = frames.get((op, target.index))
        if frame is None:
            frame = frames[op, target.index] = _frame(op, target.index or index or "", whole=whole)
        start, end = frame
        if not whole:
            yield start + end
            continue
        key = b'"%b%04x"' % (made, number) if target.id is None else _encode(str(target.id))
        if op in _NO_OPS:
            yield start + key + end
        else:
            yield b'%b%b,"_seq_no":%d%b' % (start, key, number, end)


_DONE = (
    b'"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_primary_term":1,"status":201'
)
_REFUSED = b'"status":400,"error":{"type":"illegal_argument_exception","reason":"%b"}' % _NEVER


def _frame(op: str, index: str, *, whole: bool) -> tuple[bytes, bytes]:
    """An item's answer before its id, and after its number; without these unless it is wanted as a whole."""
    name, bad = op.encode(), op in _NO_OPS
    if not whole:
        return b'{"%b":{' % name, b"%b}}" % (_REFUSED if bad else b'"status":201')
    return b'{"%b":{"_index":%b,"_id":' % (name, _encode(index)), b",%b}}" % (_REFUSED if bad else _DONE)


def _digest(request: HttpRequest) -> str:
    return blake2b(request.path.encode() + b"\0" + request.body, digest_size=24).hexdigest()


def _answer(value: Mapping[str, Json], status: int = 200) -> HttpResponse:
    return HttpResponse(status, _encode(value), headers=PRODUCT)


@hookimpl
def cordwood_plugins() -> list[type[Elasticsearch]]:
    """Elasticsearch's bulk endpoint."""
    return [Elasticsearch]
