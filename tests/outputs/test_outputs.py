"""The built-in outputs against the contract, and what is special in each."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from uuid import uuid4

import anyio.to_thread
import msgspec
import polars as pl
import pytest
import zstandard
from confluent_kafka import Consumer, Message, TopicPartition
from cordwood.outputs.cordwood import Cordwood
from cordwood.outputs.file import File
from cordwood.outputs.kafka import Kafka
from cordwood.outputs.otlp import Otlp
from cordwood.outputs.rendering import events, ndjson, value_of
from cordwood.outputs.s3 import S3
from cordwood.plugins import STANDARD, Batch, FatalError, PartlyRejectedError, RejectedError, RetryableError
from cordwood.plugins.conformance import OutputPeer, output_contract
from cordwood.plugins.conformance_class import make
from cordwood.plugins.conformance_output import lot_of
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from ..objectstore import KEYS, Bucket, S3Server
from ..sources.kafka_cluster import Cluster, cluster

_server: list[S3Server] = []
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module", autouse=True)
def server(s3_server: S3Server) -> Iterator[None]:
    """The contract's settings are made outside fixtures."""
    _server.append(s3_server)
    yield
    _server.clear()


def lines_of(data: bytes) -> list[str]:
    return [json.loads(line)["message"] for line in data.splitlines()]


def held_in(name: str, data: bytes) -> list[str]:
    if name.endswith(".parquet"):
        return list(pl.read_parquet(io.BytesIO(data))["message"])
    return lines_of(gzip.decompress(data))


def files(format_: str) -> Callable[[], AbstractAsyncContextManager[OutputPeer]]:
    @asynccontextmanager
    async def peer() -> AsyncIterator[OutputPeer]:
        with TemporaryDirectory() as folder:

            async def messages() -> list[str]:
                paths = [path for path in Path(folder).rglob("*") if path.is_file()]
                return [text for path in paths for text in held_in(path.name, path.read_bytes())]

            yield OutputPeer({"folder": f"{folder}/new", "format": format_}, messages)

    return peer


@asynccontextmanager
async def bucket() -> AsyncIterator[OutputPeer]:
    made = Bucket(f"out-{uuid4().hex[:12]}", _server[0].url)
    made.client.create_bucket(Bucket=made.name)

    async def messages() -> list[str]:
        names = made.keys()
        bodies = [made.client.get_object(Bucket=made.name, Key=name)["Body"].read() for name in names]
        return [text for name, body in zip(names, bodies, strict=True) for text in held_in(name, body)]

    try:
        yield OutputPeer({**made.settings(prefix="some/where"), "format": "ndjson"}, messages)
    finally:
        made.client.close()


class Sink:
    """An HTTP server that keeps what is posted, by its key, and answers as it is told."""

    def __init__(self, read: Callable[[bytes], list[str]], answer: bytes) -> None:
        self.held: dict[str, list[str]] = {}
        self.status, self.answer = 200, answer
        self.heads: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.heads.append({"path": self.path} | {name.lower(): value for name, value in self.headers.items()})
                if outer.status == 200:
                    outer.held[self.headers.get("Idempotency-Key", str(len(outer.held)))] = read(body)
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


def unpacked(body: bytes) -> list[str]:
    return lines_of(zstandard.ZstdDecompressor().decompressobj().decompress(body))


def records(body: bytes) -> list[Any]:
    request = ExportLogsServiceRequest.FromString(gzip.decompress(body))
    return [record for one in request.resource_logs for scope in one.scope_logs for record in scope.log_records]


def bodies(body: bytes) -> list[str]:
    return [record.body.string_value for record in records(body)]


def sink(read: Callable[[bytes], list[str]], answer: bytes) -> Callable[[], AbstractAsyncContextManager[OutputPeer]]:
    @asynccontextmanager
    async def peer() -> AsyncIterator[OutputPeer]:
        with Sink(read, answer) as made:

            async def messages() -> list[str]:
                return [text for lot in made.held.values() for text in lot]

            yield OutputPeer({"url": made.url}, messages)

    return peer


def consumed(where: Cluster, topic: str) -> list[Message]:
    """All messages of a topic."""
    consumer = Consumer({"bootstrap.servers": ",".join(where.brokers), "group.id": "none", "log_level": 3})
    known = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    found: list[Message] = []
    for partition in known:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.assign([TopicPartition(topic, partition, low)])
        mine: list[Message] = []
        while len(mine) < high - low:
            got = consumer.consume(high - low - len(mine), 10)
            assert got, "the messages do not come"
            mine += got
        found += mine
    consumer.close()
    return found


@asynccontextmanager
async def topic() -> AsyncIterator[OutputPeer]:
    with cluster() as made:

        async def messages() -> list[str]:
            values = await anyio.to_thread.run_sync(consumed, made, "logs")
            return [json.loads(message.value() or b"")["message"] for message in values]

        yield OutputPeer({"brokers": made.brokers, "topic": "logs"}, messages)


def silent_broker(url: str) -> dict[str, Any]:
    return {"brokers": [url.removeprefix("http://")], "topic": "logs"}


_VALUES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(2**63, 2**70), st.floats(), st.booleans(), st.none(),
                    st.text(max_size=20), st.lists(st.text(max_size=5), max_size=2), st.just("1e5"))  # fmt: skip
_NAMES = st.sampled_from(["message", "a", "b", "a#int", "host", 'x"y\\', "level", "timestamp", "ü.v", "", "value"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(_NAMES, _VALUES, max_size=6), min_size=1, max_size=6))
def test_lines_are_the_events_one_by_one(given_events: list[dict[str, Any]]) -> None:
    batch = Batch.from_records(given_events)
    written = ndjson(batch)
    assert written.endswith(b"\n")
    expected = [json.loads(msgspec.json.encode(event)) for event in events(batch, value_of)]
    assert [json.loads(line) for line in written[:-1].split(b"\n")] == expected


def test_json_that_is_none_or_has_lines_in_it_stays_a_line() -> None:
    frame = Batch.from_records([{"message": "a", "tags": [1]}] * 3).frame
    (name,) = set(frame.columns) - set(STANDARD)
    texts = ["[1,\n 2.50]", "no json", "[" * 3000 + "]" * 3000]
    made = [json.loads(line)[name.removesuffix("#json")] for line in
            ndjson(Batch(frame.with_columns(pl.Series(name, texts)))).splitlines()]  # fmt: skip
    assert made == [[1, 2.5], *texts[1:]]
    assert ndjson(Batch.from_records([])) == b""


ACCEPTED = b'{"accepted": 4}'
test_file_parquet = output_contract(File, files("parquet"), {"folder": f"{__file__}/no folder"})
test_file_ndjson = output_contract(File, files("ndjson"), {"folder": f"{__file__}/no folder", "format": "ndjson"})
test_s3 = output_contract(S3, bucket, {"bucket": "b-0", "endpoint": NOBODY, "region": "us-east-1", **KEYS})
test_cordwood = output_contract(Cordwood, sink(unpacked, ACCEPTED), {"url": NOBODY}, lambda url: {"url": url})
test_kafka = output_contract(Kafka, topic, {"brokers": ["127.0.0.1:1"], "topic": "logs"}, silent_broker)
test_otlp = output_contract(Otlp, sink(bodies, b""), {"url": NOBODY}, lambda url: {"url": url})


@pytest.mark.anyio
async def test_a_file_is_replaced_by_the_same_and_never_half_there(tmp_path: Path) -> None:
    output = make(File, {"folder": tmp_path, "format": "ndjson"})
    (tmp_path / "2026/01/31").mkdir(parents=True)
    lot = lot_of([{"message": "a"}])
    (tmp_path / f"2026/01/31/.{lot.key}.ndjson.gz.part").write_bytes(b"half")  # a crash has left it
    for _ in range(2):
        await output.write(lot)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{lot.key}.ndjson.gz"]


@pytest.mark.anyio
async def test_the_other_cordwood_gets_key_and_token_and_its_answers_are_understood() -> None:
    with Sink(unpacked, ACCEPTED) as other:
        output = make(Cordwood, {"url": f"{other.url}/", "token": "t0p"})
        await output.write(lot_of([{"message": "a"}]))
        (head,) = other.heads
        assert head["path"] == "/api/v1/logs"
        assert head["authorization"] == "Bearer t0p"
        assert head["idempotency-key"] == lot_of([]).key
        other.status = 429
        with pytest.raises(RetryableError) as told:
            await output.write(lot_of([{"message": "b"}]))
        assert told.value.after == 7
        for status, error in ((400, RejectedError), (413, RejectedError), (422, RejectedError),
                              (401, FatalError), (403, FatalError), (404, FatalError), (301, FatalError)):  # fmt: skip
            other.status = status
            with pytest.raises(error, match=str(status)):
                await output.write(lot_of([{"message": "b"}]))
        other.status, other.answer = 200, b"<html>"
        with pytest.raises(RetryableError, match="check the url"):
            await output.write(lot_of([{"message": "b"}]))


@pytest.mark.anyio
async def test_otlp_has_the_fields_where_the_specification_has_them(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[bytes] = []

    def keep(body: bytes) -> list[str]:
        seen.append(body)
        return []

    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = 2
    response.partial_success.error_message = "too old"
    with Sink(keep, response.SerializeToString()) as other:
        output = make(Otlp, {"url": f"{other.url}/v1/logs", "headers": {"X-Key": "k"}})
        event = {
            "timestamp": "2026-01-31T12:00:00.123456789Z", "severity": "ERROR2", "service": "shop", "host": "web-1",
            "message": "no", "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "none", "n": 1, "ok": True,
            "tags": ["a", {"b": 2}], "deep": json.loads("[" * 40 + "]" * 40),
        }  # fmt: skip
        await output.write(lot_of([event, {"message": "other", "service": "cart"}]))
        assert other.heads[0]["x-key"] == "k"
        assert "the other side left out 2 events: too old" in caplog.text
    request = ExportLogsServiceRequest.FromString(gzip.decompress(seen[0]))
    resources = [
        {pair.key: pair.value.string_value for pair in one.resource.attributes} for one in request.resource_logs
    ]
    assert resources == [{"service.name": "shop", "host.name": "web-1"}, {"service.name": "cart"}]
    record = records(seen[0])[0]
    assert record.time_unix_nano == 1_769_860_800_123_456_789
    assert record.severity_number == 18
    assert record.trace_id.hex() == event["trace_id"]
    assert record.span_id == b""
    attributes = {pair.key: pair.value for pair in record.attributes}
    assert attributes["span_id"].string_value == "none"
    assert attributes["n"].int_value == 1
    assert attributes["ok"].bool_value
    assert attributes["tags"].array_value.values[1].kvlist_value.values[0].value.int_value == 2
    assert attributes["cordwood.source"].string_value == "contract"


@pytest.mark.anyio
async def test_a_message_has_its_key_and_the_same_id_when_it_comes_again() -> None:
    with cluster() as made:
        output = make(Kafka, {"brokers": made.brokers, "topic": "keyed", "key": "user"})
        for _ in range(2):
            await output.write(lot_of([{"message": "a", "user": 42}, {"message": "b"}]))
        found = await anyio.to_thread.run_sync(consumed, made, "keyed")
        seen = Counter((message.key(), dict(message.headers() or ())["cordwood-id"]) for message in found)
        key = lot_of([]).key.encode()
        assert seen == {(b"42", key + b"-0"): 2, (None, key + b"-1"): 2}


@pytest.mark.anyio
async def test_a_message_that_is_too_large_is_refused_alone() -> None:
    with cluster() as made:
        output = make(Kafka, {"brokers": made.brokers, "topic": "large"})
        with pytest.raises(PartlyRejectedError) as caught:
            await output.write(lot_of([{"message": "a"}, {"message": "x" * 65_000_000}, {"message": "b"}]))
        assert list(caught.value.rows) == [1]
        assert "too large" in caught.value.rows[1]
        found = await anyio.to_thread.run_sync(consumed, made, "large")
        assert sorted(json.loads(message.value() or b"")["message"] for message in found) == ["a", "b"]


@pytest.mark.parametrize(
    ("cls", "settings", "words"),
    [
        pytest.param(File, {"folder": "here"}, "not absolute", id="relative"),
        pytest.param(Otlp, {"url": "http://a", "headers": {"a b": "c"}}, "no name of a header", id="header"),
        pytest.param(Otlp, {"url": "http://a", "headers": {"a": "c\nd"}}, "no header may have", id="injection"),
        pytest.param(Kafka, {"brokers": ["a:1"], "topic": "a b"}, "pattern", id="topic"),
        pytest.param(Kafka, {"brokers": ["a:1"], "topic": "a", "username": "u"}, "belong together", id="half a user"),
        pytest.param(Cordwood, {"url": "ftp://a"}, "http", id="scheme"),
        pytest.param(Cordwood, {"url": "http://a", "max_events": 0}, "greater than", id="nothing"),
        pytest.param(Cordwood, {"url": "http://a", "every": "1ms"}, "too short", id="busy"),
        pytest.param(File, {"folder": "/a", "every": "1ms"}, "too short", id="busy files"),
    ],
)
def test_settings_that_cannot_be_are_refused(cls: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(cls, settings)
