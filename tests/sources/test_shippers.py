"""What Fluent Bit, Vector and Filebeat put on the wire, into a server: what is stored, and what is answered."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import msgpack
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from ..conftest import Server, free_port
from .wire import field, serving

AT = 1_769_860_800
NANOS = AT * 10**9 + 123_456_789
FLUENT_BIT = {"User-Agent": "Fluent-Bit"}
VECTOR = {"User-Agent": "Vector/0.50.0 (x86_64-unknown-linux-gnu 9053198 2025-09-23 14:18:50.944442940)"}
FILEBEAT = {
    "User-Agent": "Elastic-filebeat/9.2.0 (linux; amd64; 0123456789abcdef; 2025-10-23 00:00:00 +0000 UTC)",
    "Accept": "application/json",
}
CHANNEL = "934793C0-FC91-467E-965C-5EA1EF1E0D3B"
FORWARD, BEATS = free_port(), free_port()


@pytest.fixture(scope="module")
def cordwood() -> Iterator[Server]:
    config = f"""
version: 1
sources:
  forward: {{type: fluent_forward, tcp: "127.0.0.1:{FORWARD}"}}
  beats: {{type: beats, tcp: "127.0.0.1:{BEATS}"}}
"""
    with serving(config) as server:
        yield server


def ask(
    server: Server, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request with these headers and no others than HTTP demands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body or method != "GET":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def stored(server: Server, message: str) -> dict[str, Any]:
    """The one event whose message has these words."""
    until = time.monotonic() + 20
    while not (rows := server.query(f'"{message}"')) and time.monotonic() < until:
        time.sleep(0.02)
    assert len(rows) == 1, rows
    assert message in rows[0]["message"]
    return rows[0]


def has(event: dict[str, Any], **expected: Any) -> None:
    assert {name: event.get(name) for name in expected} == expected


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_fluent_bit_es(cordwood: Server) -> None:
    record = {"@timestamp": "2026-01-31T12:00:00.123Z", "message": "flb-es one", "host": "web-1", "user": 42}
    body = lines({"create": {"_index": "fluent-bit", "_type": "_doc"}}, record)
    headers = FLUENT_BIT | {"Content-Type": "application/x-ndjson"}
    status, _, answer = ask(cordwood, "POST", "/_bulk", body, headers)
    assert status == 200
    assert b'"errors":false,"items":[' in answer  # what it looks for where the answer exceeds its buffer
    event = stored(cordwood, "flb-es one")
    has(event, timestamp="2026-01-31T12:00:00.123000000Z", host="web-1", user=42, _index="fluent-bit")


def test_fluent_bit_loki(cordwood: Server) -> None:
    line = json.dumps({"message": "flb-loki one", "host": "web-1"})
    push = {"streams": [{"stream": {"job": "fluent-bit"}, "values": [[str(NANOS), line]]}]}
    headers = FLUENT_BIT | {"Content-Type": "application/json"}
    status, _, answer = ask(cordwood, "POST", "/loki/api/v1/push", json.dumps(push).encode(), headers)
    assert (status, answer) == (204, b"")
    event = stored(cordwood, "flb-loki one")
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", service="fluent-bit", message=line)


def test_fluent_bit_splunk(cordwood: Server) -> None:
    records = [{"message": f"flb-splunk {name}", "host": "web-1", "user": 42} for name in ("one", "two")]
    body = b"".join(json.dumps({"time": AT + 0.25, "event": record}).encode() for record in records)
    headers = FLUENT_BIT | {"Authorization": "Splunk TOKEN", "Content-Type": "application/json"}
    headers |= {"Content-Encoding": "gzip"}
    status, _, answer = ask(cordwood, "POST", "/services/collector/event", gzip.compress(body), headers)
    assert (status, json.loads(answer)) == (200, {"text": "Success", "code": 0})
    for name in ("one", "two"):
        event = stored(cordwood, f"flb-splunk {name}")
        has(event, timestamp="2026-01-31T12:00:00.250000000Z", host="web-1", user=42)


@pytest.mark.parametrize("compressed", [False, True])
def test_fluent_bit_forward_with_acknowledgement(cordwood: Server, compressed: bool) -> None:
    text = f"flb-forward {'gzip' if compressed else 'plain'}"
    at = msgpack.ExtType(0, struct.pack(">II", AT, 123_456_789))
    packed = msgpack.packb([[at, {}], {"log": text, "host": "web-1", "user": 42}])
    chunk = hashlib.sha512(packed).hexdigest()[:32]
    options = {"chunk": chunk, "size": 1, "fluent_signal": 0}
    if compressed:
        packed, options = gzip.compress(packed), options | {"compressed": "gzip"}
    with socket.create_connection(("127.0.0.1", FORWARD), timeout=30) as peer:
        peer.sendall(msgpack.packb(["app.web", packed, options]))
        assert msgpack.unpackb(peer.recv(1000)) == {"ack": chunk}
    event = stored(cordwood, text)
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", host="web-1", user=42, **{"fluent.tag": "app.web"})


@pytest.mark.parametrize("kind", ["json", "x-ndjson"])
def test_fluent_bit_http_json_lines(cordwood: Server, kind: str) -> None:
    """Its `http.h` has `application/json` for lines of JSON, too."""
    records = [{"date": AT + 0.25, "message": f"flb-http {kind} {n}", "host": "web-1", "user": 42} for n in "ab"]
    headers = FLUENT_BIT | {"Content-Type": f"application/{kind}"}
    status, _, _ = ask(cordwood, "POST", "/api/v1/logs", lines(*records), headers)
    assert 200 <= status <= 205  # it repeats what is answered by another
    for record in records:
        event = stored(cordwood, record["message"])
        has(event, timestamp="2026-01-31T12:00:00.250000000Z", host="web-1", user=42)


def test_fluent_bit_opentelemetry(cordwood: Server) -> None:
    sent = ExportLogsServiceRequest()
    resource = sent.resource_logs.add()
    name = resource.resource.attributes.add(key="host.name")
    name.value.string_value = "web-1"
    record = resource.scope_logs.add().log_records.add(time_unix_nano=NANOS)
    record.body.string_value = "flb-otel one"
    record.attributes.add(key="user").value.int_value = 42
    headers = FLUENT_BIT | {"Content-Type": "application/x-protobuf"}
    status, answered, answer = ask(cordwood, "POST", "/v1/logs", sent.SerializeToString(), headers)
    assert (status, {k.lower(): v for k, v in answered.items()}["content-type"]) == (200, "application/x-protobuf")
    assert not ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records
    event = stored(cordwood, "flb-otel one")
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", host="web-1", user=42)


def test_fluent_bit_datadog(cordwood: Server) -> None:
    record = {
        "timestamp": AT * 1000 + 123, "ddsource": "nginx", "service": "shop", "ddtags": "env:prod",
        "hostname": "web-1", "message": "flb-datadog one", "user": 42,
    }  # fmt: skip
    headers = FLUENT_BIT | {
        "DD-API-KEY": "TOKEN", "DD-EVP-ORIGIN": "Fluent-Bit", "DD-EVP-ORIGIN-VERSION": "4.2.0",
        "Content-Type": "application/json", "Content-Encoding": "gzip",
    }  # fmt: skip
    status, _, answer = ask(cordwood, "POST", "/api/v2/logs", gzip.compress(json.dumps([record]).encode()), headers)
    assert (status, answer) == (202, b"{}")
    event = stored(cordwood, "flb-datadog one")
    has(event, timestamp="2026-01-31T12:00:00.123000000Z", host="web-1", service="shop", env="prod", user=42)


def test_vector_elasticsearch(cordwood: Server) -> None:
    assert ask(cordwood, "GET", "/_cluster/health", headers=VECTOR)[0] == 200
    status, _, answer = ask(cordwood, "GET", "/", headers=VECTOR)
    assert (status, json.loads(answer)["version"]["number"]) == (200, "8.19.0")  # `api_version: auto`
    record = {"host": "web-1", "message": "vector-es one", "timestamp": "2026-01-31T12:00:00.123456789Z", "user": 42}
    body = lines({"create": {"_index": "vector-2026.01.31"}}, record)
    headers = VECTOR | {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    status, _, answer = ask(cordwood, "POST", "/_bulk?timeout=60s", gzip.compress(body), headers)
    assert (status, json.loads(answer)["errors"]) == (200, False)
    event = stored(cordwood, "vector-es one")
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", host="web-1", user=42, _index="vector-2026.01.31")


def test_vector_loki(cordwood: Server) -> None:
    assert ask(cordwood, "GET", "/ready", headers=VECTOR)[0] in (200, 404)
    assert ask(cordwood, "GET", "/", headers=VECTOR)[0] == 200  # asked where `/ready` is unknown
    stamp = field(1, AT) + field(2, 123_456_789)
    entry = field(1, stamp) + field(2, b"vector-loki one")
    stream = field(1, b'{agent="vector",host="web-1"}') + field(2, entry)
    body = bytes(pa.Codec("snappy").compress(field(1, stream), asbytes=True))
    headers = VECTOR | {"Content-Type": "application/x-protobuf"}
    assert ask(cordwood, "POST", "/loki/api/v1/push", body, headers)[0] == 204
    event = stored(cordwood, "vector-loki one")
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", host="web-1", agent="vector")


def test_vector_http(cordwood: Server) -> None:
    body = lines(
        {"host": "web-1", "message": "vector-http one", "timestamp": "2026-01-31T12:00:00.123456789Z", "user": 42}
    )
    headers = VECTOR | {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    status, _, _ = ask(cordwood, "POST", "/api/v1/logs", gzip.compress(body), headers)
    assert 200 <= status < 300
    event = stored(cordwood, "vector-http one")
    has(event, timestamp="2026-01-31T12:00:00.123456789Z", host="web-1", user=42)


def test_vector_splunk_hec(cordwood: Server) -> None:
    token = VECTOR | {"Authorization": "Splunk TOKEN"}
    assert ask(cordwood, "GET", "/services/collector/health/1.0", headers=token)[0] == 200
    record = {
        "event": {"host": "web-1", "message": "vector-hec one", "user": 42},
        "fields": {}, "time": AT + 0.123, "host": "web-1",
    }  # fmt: skip
    headers = token | {
        "Content-Type": "application/json", "Content-Encoding": "gzip", "X-Splunk-Request-Channel": CHANNEL,
    }  # fmt: skip
    body = gzip.compress(json.dumps(record).encode())
    status, _, answer = ask(cordwood, "POST", "/services/collector/event", body, headers)
    assert (status, json.loads(answer)["ackId"]) == (200, 0)
    asked = token | {"X-Splunk-Request-Channel": CHANNEL}
    status, _, answer = ask(cordwood, "POST", "/services/collector/ack", b'{"acks":[0]}', asked)
    assert (status, json.loads(answer)) == (200, {"acks": {"0": True}})
    event = stored(cordwood, "vector-hec one")
    has(event, timestamp="2026-01-31T12:00:00.123000000Z", host="web-1", user=42)


def beat(message: str) -> dict[str, Any]:
    return {
        "@timestamp": "2026-01-31T12:00:00.123Z",
        "message": message,
        "log": {"offset": 7, "file": {"path": "/var/log/app.log"}},
        "input": {"type": "filestream"},
        "ecs": {"version": "8.0.0"},
        "host": {"name": "web-1"},
        "agent": {"type": "filebeat", "version": "9.2.0"},
    }


BEAT = {
    "timestamp": "2026-01-31T12:00:00.123000000Z",
    "host": "web-1",
    "log.offset": 7,
    "log.file.path": "/var/log/app.log",
    "agent.type": "filebeat",
}


def test_filebeat_elasticsearch(cordwood: Server) -> None:
    status, headers, answer = ask(cordwood, "GET", "/", headers=FILEBEAT)
    found = json.loads(answer)
    assert (status, {k.lower(): v for k, v in headers.items()}["x-elastic-product"]) == (200, "Elasticsearch")
    assert found["version"]["number"]
    assert found["cluster_uuid"]
    status, _, answer = ask(cordwood, "GET", "/_license?human=false", headers=FILEBEAT)
    assert (status, json.loads(answer)["license"]["status"]) == (200, "active")
    assert ask(cordwood, "GET", "/_xpack", headers=FILEBEAT)[0] == 200
    typed = FILEBEAT | {"Content-Type": "application/json; charset=UTF-8"}
    assert ask(cordwood, "GET", "/_ilm/policy/filebeat", headers=FILEBEAT)[0] == 200
    assert ask(cordwood, "PUT", "/_ilm/policy/filebeat", b'{"policy":{"phases":{}}}', typed)[0] == 200
    assert ask(cordwood, "HEAD", "/_index_template/filebeat-9.2.0", headers=FILEBEAT)[0] == 200
    template = b'{"index_patterns":["filebeat-9.2.0"],"data_stream":{},"template":{}}'
    assert ask(cordwood, "PUT", "/_index_template/filebeat-9.2.0", template, typed)[0] == 200
    assert ask(cordwood, "GET", "/_data_stream/filebeat-9.2.0", headers=FILEBEAT)[0] == 200
    body = lines({"create": {"_index": "filebeat-9.2.0"}}, beat("filebeat-es one"))
    path = "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status"
    status, _, answer = ask(cordwood, "POST", path, gzip.compress(body), typed | {"Content-Encoding": "gzip"})
    assert (status, json.loads(answer)) == (200, {"errors": False, "items": [{"create": {"status": 201}}]})
    event = stored(cordwood, "filebeat-es one")
    has(event, **BEAT, _index="filebeat-9.2.0")


def test_filebeat_logstash(cordwood: Server) -> None:
    meta = {"@metadata": {"beat": "filebeat", "type": "_doc", "version": "9.2.0"}}
    documents = [json.dumps(meta | beat(f"filebeat-ls {name}")).encode() for name in ("one", "two")]
    frames = b"".join(b"2J" + struct.pack(">II", n, len(raw)) + raw for n, raw in enumerate(documents, 1))
    packed = zlib.compress(frames, 3)
    with socket.create_connection(("127.0.0.1", BEATS), timeout=30) as peer:
        peer.sendall(b"2W" + struct.pack(">I", 2) + b"2C" + struct.pack(">I", len(packed)) + packed)
        answered = b""
        while not answered.endswith(b"2A" + struct.pack(">I", 2)):
            got = peer.recv(6)
            assert got, answered
            answered += got
    for name in ("one", "two"):
        has(stored(cordwood, f"filebeat-ls {name}"), **BEAT, **{"@metadata.beat": "filebeat"})
