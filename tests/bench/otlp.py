"""OTLP beside NDJSON: the same events as NDJSON by HTTP, then as OTLP by HTTP and by gRPC, 10,000 a request."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import grpc
from cordwood.plugins.severity import WORDS
from cordwood.sources.otlp.listener import SERVICE
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from .corpus import corpus
from .server import Server, free_port
from .usage import cpu_seconds

RECORDS: Final = 10_000
CONNECTIONS: Final = 4
_STANDARD: Final = frozenset({"timestamp", "service", "host", "level", "message", "trace_id"})


def run(events: int, seed: int = 1) -> dict[str, Any]:
    """Events a CPU second of Cordwood and its PostgreSQL for each way, on a server of its own, until the last answer.

    :raises RuntimeError: a request was refused, or events are missing
    """
    path = corpus(events, seed)
    found: dict[str, Any] = {}
    for way in ("ndjson", "otlp_http", "otlp_grpc"):
        bodies = [b"\n".join(lines) if way == "ndjson" else request(lines) for lines in lots(path)]
        address = f"127.0.0.1:{free_port()}"
        with tempfile.TemporaryDirectory(prefix="cordwood-bench-") as name:
            Path(name).chmod(0o755)
            with Server(Path(name), config=f'sources: {{otlp: {{type: otlp, grpc: "{address}"}}}}') as server:
                before = cpu_seconds(server.family())["total"]
                _send(bodies, export(address) if way == "otlp_grpc" else _http(server.port, way))
                used = cpu_seconds(server.family())["total"] - before
                if server.count() != events:
                    raise RuntimeError(f"{way}: {server.count()} events found, {events} sent")
        found[way] = {"bytes": sum(map(len, bodies)), "cpu_s": used, "events_per_cpu_s": events / used}
    return found


def report(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures for people."""
    base = figures["ndjson"]["events_per_cpu_s"]
    return "\n".join(
        [
            f"OTLP: requests of {RECORDS:,} records, events a CPU second of Cordwood and PostgreSQL",
            *(
                f"  {way:<10} {told['events_per_cpu_s']:>9,.0f}   {told['events_per_cpu_s'] / base:.2f} of NDJSON"
                f"   ({told['bytes'] / 1e6:.0f} MB)"
                for way, told in figures.items()
            ),
        ]
    )


def request(lines: list[bytes]) -> bytes:
    """The events as a collector sends them: a resource for each service and host, the other fields as attributes."""
    made = ExportLogsServiceRequest()
    resources: dict[tuple[str, str], Any] = {}
    for event in map(json.loads, lines):
        where = event["service"], event["host"]
        if where not in resources:
            logs = made.resource_logs.add()
            for key, value in zip(("service.name", "host.name"), where, strict=True):
                logs.resource.attributes.add(key=key).value.string_value = value
            resources[where] = logs.scope_logs.add().log_records
        at = int(datetime.fromisoformat(event["timestamp"]).timestamp() * 1_000_000) * 1000
        record = resources[where].add(time_unix_nano=at, severity_number=WORDS[event["level"].lower()])
        record.severity_text = event["level"]
        record.body.string_value = event["message"]
        record.trace_id = bytes.fromhex(event.get("trace_id", ""))
        for key in event.keys() - _STANDARD:
            value, into = event[key], record.attributes.add(key=key).value
            if isinstance(value, str):
                into.string_value = value
            elif isinstance(value, int):
                into.int_value = value
            else:
                into.double_value = value
    return made.SerializeToString()


def lots(path: Path) -> Iterator[list[bytes]]:
    with path.open("rb") as file:
        while lot := [line.rstrip(b"\n") for line in islice(file, RECORDS)]:
            yield lot


def _send(bodies: list[bytes], call: Callable[[bytes], None]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(call, bodies))


def _http(port: int, way: str) -> Callable[[bytes], None]:
    path, media = ("/api/v1/logs", "ndjson") if way == "ndjson" else ("/v1/logs", "protobuf")

    def call(body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("POST", path, body, {"Content-Type": f"application/x-{media}"})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{way}: {answer.status} {said[:300]!r}")

    return call


def export(address: str) -> Callable[[bytes], None]:
    stub = grpc.insecure_channel(address).unary_unary(f"/{SERVICE}/Export")

    def call(body: bytes) -> None:
        stub(body, timeout=120)

    return call
