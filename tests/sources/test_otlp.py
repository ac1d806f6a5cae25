"""OpenTelemetry's endpoint: protobuf, JSON and gRPC become the same events; its own SDK against a server."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import grpc
import grpc.aio
import pytest
from cordwood.plugins import Batch, DeniedError, FatalError, LimitError, RejectedError, RetryableError
from cordwood.plugins.conformance import http_source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.otlp import JSON, PROTOBUF, Otlp, OtlpConfig, listener, records
from cordwood.sources.otlp.listener import SERVICE
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from pydantic import ValidationError

from ..conftest import Server, free_port
from .wire import field, received, request, serving

pytestmark = pytest.mark.anyio
AT = 1_769_860_800_000_000_123
TIME = "2026-01-31T12:00:00.000000123Z"
MIXED = {"arrayValue": {"values": [{"intValue": 1}, {"boolValue": True}]}}
REQUEST: dict[str, Any] = {
    "resourceLogs": [
        {
            "resource": {
                "attributes": [
                    {"key": "service.name", "value": {"stringValue": "shop"}},
                    {"key": "host.name", "value": {"stringValue": "web-1"}},
                    {"key": "region", "value": {"stringValue": "eu"}},
                ]
            },
            "scopeLogs": [
                {
                    "scope": {"name": "lib", "version": "2"},
                    "logRecords": [
                        {
                            "timeUnixNano": str(AT),
                            "severityNumber": 18,
                            "severityText": "CRITICAL",
                            "body": {"stringValue": "card declined"},
                            "attributes": [
                                {"key": "n", "value": {"intValue": "42"}},
                                {"key": "took", "value": {"doubleValue": 0.5}},
                                {"key": "ok", "value": {"boolValue": False}},
                                {"key": "empty", "value": {"stringValue": ""}},
                                {"key": "region", "value": {"intValue": 7}},
                                {"key": "message", "value": {"stringValue": "an attribute"}},
                                {"key": "raw", "value": {"bytesValue": "AAE="}},
                                {"key": "nan", "value": {"doubleValue": "NaN"}},
                                {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {}]}}},
                                {
                                    "key": "http",
                                    "value": {
                                        "kvlistValue": {"values": [{"key": "status", "value": {"intValue": "402"}}]}
                                    },
                                },
                            ],
                            "traceId": "5B8EFFF798038103D269B633813FC60C",
                            "spanId": "eee19b7ec3c1b174",
                            "flags": 1,
                            "eventName": "card.declined",
                        },
                        {
                            "observedTimeUnixNano": AT,
                            "severityText": "warn",
                            "body": {
                                "kvlistValue": {
                                    "values": [
                                        {"key": "message", "value": {"stringValue": "a map"}},
                                        {"key": "n", "value": {"intValue": 1}},
                                    ]
                                }
                            },
                        },
                        {
                            "timeUnixNano": AT,
                            "body": {"arrayValue": {"values": [{"intValue": 1}, {"boolValue": True}]}},
                        },
                        {"timeUnixNano": AT, "body": {"doubleValue": 1.5}},
                    ],
                }
            ],
        }
    ]
}
OF_ALL = {"timestamp": TIME, "service": "shop", "host": "web-1", "otel.scope.name": "lib", "otel.scope.version": "2"}
EVENTS = [
    OF_ALL
    | {
        "severity": "ERROR2",
        "severity_text": "CRITICAL",
        "message": "card declined",
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "n": 42,
        "took": 0.5,
        "ok": False,
        "empty": "",
        "region": 7,
        "resource.region": "eu",
        "attributes.message": "an attribute",
        "raw": "AAE=",
        "nan": "nan",
        "tags": ["a", None],
        "http.status": 402,
        "trace_flags": 1,
        "event.name": "card.declined",
    },
    OF_ALL | {"severity": "WARN", "severity_text": "warn", "message": "a map", "n": 1, "region": "eu"},
    OF_ALL | {"message": "[1,true]", "region": "eu"},
    OF_ALL | {"message": "1.5", "region": "eu"},
]


def value(of: Mapping[str, Any], into: AnyValue) -> None:
    """The same AnyValue in protobuf."""
    for name, inner in of.items():
        match name:
            case "kvlistValue":
                for pair in inner["values"]:
                    made = into.kvlist_value.values.add(key=pair["key"])
                    value(pair["value"], made.value)
            case "arrayValue":
                for item in inner["values"]:
                    value(item, into.array_value.values.add())
            case "stringValue":
                into.string_value = inner
            case "intValue":
                into.int_value = int(inner)
            case "doubleValue":
                into.double_value = float(inner)
            case "boolValue":
                into.bool_value = inner
            case "bytesValue":
                into.bytes_value = b"\0\1"


def binary(of: Mapping[str, Any] = REQUEST) -> bytes:
    """The same request in protobuf."""
    made = ExportLogsServiceRequest()
    for resource in of["resourceLogs"]:
        logs = made.resource_logs.add()
        for pair in resource["resource"]["attributes"]:
            value(pair["value"], logs.resource.attributes.add(key=pair["key"]).value)
        for scope in resource["scopeLogs"]:
            within = logs.scope_logs.add()
            within.scope.name, within.scope.version = scope["scope"]["name"], scope["scope"]["version"]
            for told in scope["logRecords"]:
                record = within.log_records.add(
                    time_unix_nano=int(told.get("timeUnixNano", 0)),
                    observed_time_unix_nano=int(told.get("observedTimeUnixNano", 0)),
                    severity_number=told.get("severityNumber", 0),
                    severity_text=told.get("severityText", ""),
                    trace_id=bytes.fromhex(told.get("traceId", "")),
                    span_id=bytes.fromhex(told.get("spanId", "")),
                    flags=told.get("flags", 0),
                    event_name=told.get("eventName", ""),
                )
                value(told["body"], record.body)
                for pair in told.get("attributes", ()):
                    value(pair["value"], record.attributes.add(key=pair["key"]).value)
    return made.SerializeToString()


def simple(*bodies: str) -> bytes:
    made = ExportLogsServiceRequest()
    told = made.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        told.add(time_unix_nano=AT).body.string_value = body
    return made.SerializeToString()


def asked(body: bytes, media: str) -> Any:
    return request("/v1/logs", body, headers={"content-type": media} if media else {})


test_contract = http_source_contract(
    Otlp, [(asked(binary(), PROTOBUF), 4), (asked(json.dumps(REQUEST).encode(), JSON), 4)]
)


def source(**settings: Any) -> Otlp:
    return Otlp(OtlpConfig(**settings))


@pytest.mark.parametrize(
    ("body", "media", "answer"),
    [
        pytest.param(binary(), PROTOBUF, b"", id="protobuf"),
        pytest.param(binary(), "", b"", id="protobuf-untyped"),
        pytest.param(json.dumps(REQUEST).encode(), JSON, b"{}", id="json"),
        pytest.param(json.dumps(REQUEST).encode(), "", b"{}", id="json-untyped"),
    ],
)
async def test_both_encodings_become_the_same_events(body: bytes, media: str, answer: bytes) -> None:
    response, events = await received(source(), asked(body, media))
    assert (response.status, response.body) == (200, answer)
    assert events == EVENTS


async def test_a_bad_record_is_kept_and_the_answer_says_so() -> None:
    told = [
        {"body": {"stringValue": "good"}, "timeUnixNano": AT},
        {"body": {"intValue": "many"}},
        {"timeUnixNano": -5},
        {"traceId": "xyz"},
        {"attributes": [{"key": "n", "value": {"intValue": str(2**63)}}]},
        {"flags": 2**80},
        "text",
    ]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": told}]}]}).encode()
    response, events = await received(source(), asked(body, JSON))
    assert "6 records" in json.loads(response.body)["partialSuccess"]["errorMessage"]
    assert [event.get("parse_error", "")[:6] for event in events] == [""] + ["otlp: "] * 6
    assert [json.loads(event["message"]) for event in events[1:]] == told[1:]


async def test_times_that_are_none() -> None:
    made = ExportLogsServiceRequest()
    told = made.resource_logs.add().scope_logs.add().log_records
    told.add(time_unix_nano=2**64 - 1)
    told.add()
    response, events = await received(source(), asked(made.SerializeToString(), PROTOBUF))
    assert "1 records" in ExportLogsServiceResponse.FromString(response.body).partial_success.error_message
    assert ["parse_error" in event for event in events] == [True, False]
    assert all(event["timestamp"] > "2026-01" for event in events)


def deep(levels: int) -> bytes:
    """A record whose body is arrays in arrays."""
    made = field(1, b"bottom")
    for _ in range(levels):
        made = field(5, field(1, made))
    return field(1, field(2, field(2, field(5, made))))


async def test_deep_values_are_kept_and_too_deep_ones_refused() -> None:
    _, events = await received(source(), asked(deep(20), PROTOBUF))
    assert events[0]["message"] == "[" * 20 + '"bottom"' + "]" * 20
    with pytest.raises(RejectedError, match="no logs request"):
        await received(source(), asked(deep(2000), PROTOBUF))
    nested: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(200):
        nested = {"arrayValue": {"values": [nested]}}
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": nested}]}]}]}).encode()
    _, events = await received(source(), asked(body, JSON))
    assert "too deep" in events[0]["message"]


@pytest.mark.parametrize("cut", [1, 7, 40, 100])
async def test_malformed_protobuf_is_refused(cut: int) -> None:
    with pytest.raises(RejectedError, match="protobuf"):
        await received(source(), asked(binary()[:-cut], PROTOBUF))


@pytest.mark.parametrize(
    "body", [b"[]", b'{"resourceLogs":5}', b'{"resourceLogs":[{"scopeLogs":[{"logRecords":["\xff"]}]}]}']
)
async def test_what_is_no_json_request_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError, match="JSON"):
        await received(source(), asked(body, JSON))


async def test_refusals_have_the_encoding_of_the_request() -> None:
    response, _ = await received(source(), asked(b"x", "text/plain"))
    assert (response.status, Status.FromString(response.body).code) == (415, 3)
    own = source().refusal({"content-type": "application/json; charset=utf-8"}, 429, "later")
    assert (own.status, json.loads(own.body)) == (429, {"code": 8, "message": "later"})
    assert Status.FromString(source().refusal({}, 503, "later").body).code == 14


@pytest.mark.parametrize("address", ["4317", "localhost:", "localhost:0", "localhost:99999", ":4317"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValidationError, match="write HOST:PORT"):
        OtlpConfig(grpc=address)


@dataclass
class Outlet(MemoryOutlet):
    """Fails as told, and notes who came."""

    error: Exception | None = None
    waits: float = 0
    came: tuple[Mapping[str, str], str] = ({}, "")

    async def authorise(self, headers: Mapping[str, str], client: str) -> None:
        self.came = (headers, client)
        if isinstance(self.error, DeniedError):
            raise self.error

    async def send(self, batch: Batch, **more: Any) -> Any:
        await anyio.sleep(self.waits)
        if self.error is not None:
            raise self.error
        return await super().send(batch, **more)


@asynccontextmanager
async def listening(outlet: Outlet, **settings: Any) -> AsyncIterator[Any]:
    """Calls `Export` of a listener in this process."""
    address = f"127.0.0.1:{free_port()}"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source(grpc=address, **settings).run, outlet)
        async with grpc.aio.insecure_channel(address) as channel:
            yield channel.unary_unary(f"/{SERVICE}/Export")
        tasks.cancel_scope.cancel()


async def called(export: Any, body: bytes, **more: Any) -> Any:
    return await export(body, wait_for_ready=True, timeout=20, **more)


async def test_grpc_stores_and_answers() -> None:
    store = MemoryStore()
    outlet = Outlet(store)
    async with listening(outlet) as export:
        answer = await called(export, simple("one", "two"), metadata=(("authorization", "Bearer cw_x"),))
    assert (answer, store.lines) == (b"", ["one", "two"])
    assert (outlet.came[0]["authorization"], outlet.came[1]) == ("Bearer cw_x", "127.0.0.1")


LATER = LimitError("no more today", limit="daily_bytes", value=1, after=7)


@pytest.mark.parametrize(
    ("error", "body", "code", "after"),
    [
        pytest.param(DeniedError("who?", known=False), simple("x"), "UNAUTHENTICATED", 0, id="unknown"),
        pytest.param(DeniedError("not you", known=True), simple("x"), "PERMISSION_DENIED", 0, id="denied"),
        pytest.param(LATER, simple("x"), "RESOURCE_EXHAUSTED", 7, id="limit"),
        pytest.param(RetryableError("asleep"), simple("x"), "UNAVAILABLE", 1, id="store"),
        pytest.param(RejectedError("never"), simple("x"), "INVALID_ARGUMENT", 0, id="rejected"),
        pytest.param(None, b"\xff\xff", "INVALID_ARGUMENT", 0, id="malformed"),
        pytest.param(None, simple("x" * 70_000), "RESOURCE_EXHAUSTED", 0, id="large"),
    ],
)
async def test_grpc_refuses_as_the_specification_says(
    error: Exception | None, body: bytes, code: str, after: int
) -> None:
    async with listening(Outlet(MemoryStore(), error=error), max_message_bytes=65_536) as export:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await called(export, body)
    assert refused.value.code().name == code
    told = dict(refused.value.trailing_metadata() or ()).get("grpc-status-details-bin")
    info = RetryInfo()
    if told:
        assert Status.FromString(told).details[0].Unpack(info)
    assert info.retry_delay.seconds == after


async def test_grpc_unpacks_no_bomb() -> None:
    async with listening(Outlet(MemoryStore()), max_message_bytes=65_536) as export:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await called(export, bytes(20_000_000), compression=grpc.Compression.Gzip)
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await called(export, simple("x" * 1000), compression=grpc.Compression.Gzip) == b""


async def test_grpc_calls_that_are_cancelled_do_no_harm() -> None:
    store = MemoryStore()
    outlet = Outlet(store, waits=30)
    async with listening(outlet, max_message_bytes=16 * 1024 * 1024) as export:
        for _ in range(20):  # more than have room at once
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await export(simple("slow"), wait_for_ready=True, timeout=0.1)
            assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        outlet.waits = 0
        assert await called(export, simple("quick")) == b""
    assert store.lines == ["quick"]


async def test_grpc_waits_for_room_before_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IN_FLIGHT", 65_536)
    monkeypatch.setattr(listener, "_ROOM_S", 0.2)
    outlet = Outlet(MemoryStore(), waits=2)
    ended: list[grpc.StatusCode] = []

    async def call() -> None:
        try:
            await called(export, simple("x"))
        except grpc.aio.AioRpcError as why:
            ended.append(why.code())

    async with listening(outlet, max_message_bytes=65_536) as export, anyio.create_task_group() as tasks:
        for _ in range(3):  # two have room
            tasks.start_soon(call)
    assert ended == [grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert len(outlet.store.lines) == 2


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@pytest.mark.parametrize("shown", [None, True, False], ids=["server-only", "both", "client-shows-none"])
async def test_grpc_by_tls(tmp_path: Path, shown: bool | None) -> None:
    cert, key = certificate(tmp_path)
    tls = {"cert_file": cert, "key_file": key} | ({} if shown is None else {"client_ca_file": cert})
    port = free_port()
    mine = (key.read_bytes(), cert.read_bytes()) if shown else (None, None)
    store = MemoryStore()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source(grpc=f"127.0.0.1:{port}", tls=tls).run, Outlet(store))
        credentials = grpc.ssl_channel_credentials(cert.read_bytes(), *mine)
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            export = channel.unary_unary(f"/{SERVICE}/Export")
            if shown is False:
                with pytest.raises(grpc.aio.AioRpcError):
                    await export(simple("x"), wait_for_ready=True, timeout=1)
            else:
                await called(export, simple("x"))
        tasks.cancel_scope.cancel()
    assert store.lines == ([] if shown is False else ["x"])


async def test_grpc_says_what_is_wrong_with_a_certificate(tmp_path: Path) -> None:
    missing = {"cert_file": tmp_path / "none.pem", "key_file": tmp_path / "none.key"}
    with pytest.raises(FatalError, match="none"):
        await source(grpc=f"127.0.0.1:{free_port()}", tls=missing).run(Outlet(MemoryStore()))
    broken = tmp_path / "broken.pem"
    broken.write_text("no PEM")
    with pytest.raises(FatalError, match="broken"):
        await source(grpc=f"127.0.0.1:{free_port()}", tls={"cert_file": broken, "key_file": broken}).run(
            Outlet(MemoryStore())
        )


async def test_too_many_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORDS", 3)
    for body, media in ((binary(), PROTOBUF), (json.dumps(REQUEST).encode(), JSON)):
        with pytest.raises(RejectedError, match="more than 3 records"):
            await received(source(), asked(body, media))


async def test_grpc_says_that_an_address_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RetryableError, match="is it taken"):
        await source(grpc=f"127.0.0.1:{taken.getsockname()[1]}").run(Outlet(MemoryStore()))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, int]]:
    """A server with gRPC."""
    port = free_port()
    with serving(f'sources: {{otlp: {{type: otlp, grpc: "127.0.0.1:{port}"}}}}') as server:
        yield server, port


def sdk_events(exporter: Any, service: str) -> None:
    """Log through OpenTelemetry's SDK."""
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    provider = LoggerProvider(resource=Resource.create({"service.name": service, "host.name": "web-1"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    from opentelemetry._logs import LogRecord, SeverityNumber

    logger = provider.get_logger("shop", "1.0")
    for number in range(1000):
        logger.emit(
            LogRecord(
                timestamp=AT + number,
                severity_number=SeverityNumber.ERROR,
                body=f"card {number} declined" if number else {"message": "a map", "amount": {"eur": 5}},
                attributes={"n": number, "tags": ["a", "b"]},
            )
        )
    assert provider.force_flush()
    provider.shutdown()


@pytest.mark.parametrize("way", ["http", "http-gzip", "grpc", "grpc-gzip"])
def test_the_sdk_against_a_server(served: tuple[Server, int], way: str) -> None:
    server, port = served
    service = f"sdk-{way}"
    if way.startswith("http"):
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        packed = Compression.Gzip if way.endswith("gzip") else Compression.NoCompression
        sdk_events(OTLPLogExporter(endpoint=f"{server.url}/v1/logs", compression=packed), service)
    else:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter

        how = grpc.Compression.Gzip if way.endswith("gzip") else grpc.Compression.NoCompression
        sdk_events(GrpcExporter(endpoint=f"127.0.0.1:{port}", insecure=True, compression=how), service)
    rows = server.query(
        f"service:{service} | sort timestamp | fields message, severity, host, n, tags, amount.eur", limit=2000
    )
    assert [row["n"] for row in rows] == list(range(1000))
    assert (rows[0]["message"], rows[0]["amount.eur"]) == ("a map", 5)
    assert (rows[7]["message"], rows[7]["severity"], rows[7]["host"]) == ("card 7 declined", "ERROR", "web-1")


def test_a_server_refuses_in_the_formats_words(served: tuple[Server, int]) -> None:
    server, _ = served
    status, body = server.call("POST", "/v1/logs", b"\xff\xff", {"Content-Type": PROTOBUF})
    assert (status, Status.FromString(body).code) == (400, 3)
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    assert server.call("POST", "/v1/logs", gzip.compress(json.dumps(REQUEST).encode()), headers) == (200, b"{}")
    status, body = server.call("POST", "/v1/logs", b"nothing", headers)
    assert (status, json.loads(body)["code"]) == (400, 3)


logging.getLogger("opentelemetry").setLevel(logging.ERROR)
