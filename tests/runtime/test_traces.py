"""OpenTelemetry traces of a real node, as a collector of the OTLP protocol gets them."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.tracing import Tracing, tracing_of
from cordwood.plugins import ConfigError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "card-4711"


class Collector(HTTPServer):
    """Takes traces by OTLP over HTTP, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for one in self.requests
            for of in one.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    def resource(self) -> dict[str, str]:
        return {one.key: one.value.string_value for one in self.requests[0].resource_spans[0].resource.attributes}


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.anyio
async def test_an_ingest_and_a_query_are_traced(database_url: str, data_dir: Path, collector: Collector) -> None:
    environment = {
        "CORDWOOD_DATABASE_URL": database_url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
        "PATH": "/usr/bin:/bin",
    }
    command = [Path(sys.executable).parent / "cordwood", "up", "--data-dir", data_dir / "own", "--port", "0"]
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]

        def post(path: str, body: bytes, kind: str) -> bytes:
            headers = {"Content-Type": kind, "traceparent": f"00-{TRACE}-{PARENT}-01"}
            with urllib.request.urlopen(urllib.request.Request(url + path, body, headers), timeout=30) as answer:
                return bytes(answer.read())

        many = b"".join(b'{"message": "%s", "n": %d}\n' % (SECRET.encode(), n) for n in range(20_000))
        post(f"/api/v1/logs?service={SECRET}", many, "application/x-ndjson")
        found = post(
            "/api/v1/query", json.dumps({"query": f'"{SECRET}" | stats count() as n'}).encode(), "application/json"
        )
        assert json.loads(found)["rows"] == [[20_000]]
        urllib.request.urlopen(f"{url}/readyz", timeout=30).close()
        process.send_signal(signal.SIGTERM)  # what is not sent yet is sent now
        assert process.wait(30) == 0, (data_dir / "log").read_text()
        process.stdout.close()
    spans = {span.name: span for span in collector.spans}
    assert spans.keys() == {
        "POST /api/v1/logs", "pipeline", "commit", "POST /api/v1/query", "catalog", "execute",
    }  # fmt: skip
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    for request, children in (
        ("POST /api/v1/logs", ("pipeline", "commit")),
        ("POST /api/v1/query", ("catalog", "execute")),
    ):
        assert spans[request].parent_span_id.hex() == PARENT
        assert {spans[child].parent_span_id for child in children} == {spans[request].span_id}
        about = {one.key: one.value for one in spans[request].attributes}
        assert about["http.response.status_code"].int_value == 200
    assert spans["commit"].end_time_unix_nano > spans["pipeline"].end_time_unix_nano
    assert {one.key: one.value.int_value for one in spans["pipeline"].attributes}["cordwood.events"] == 20_000
    assert SECRET not in str(collector.requests)
    own = collector.resource()
    assert (own["service.name"], own["cordwood.role"], own["deployment.environment"]) == ("cordwood", "all", "test")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=["not asked for", "disabled", "no exporter"],
)
def test_no_traces(environment: dict[str, str]) -> None:
    made = tracing_of(environment, "all")
    assert type(made) is Tracing
    with made.request("GET", "/", {}) as told, made.span("x"):
        told({"a": 1})


def test_without_the_sdk_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match="OpenTelemetry's SDK is not installed") as caught:
        tracing_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h"}, "all")
    assert "cordwood[otel]" in caught.value.hint
