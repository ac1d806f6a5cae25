"""Real clients that retry, while the server and its PostgreSQL are killed once in the middle: every event is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from ..conftest import Server, free_port

EVENTS, CHUNK = 10_000, 500
GIVE_UP_S = 120


def elasticsearch(server: Server, grpc: int) -> None:
    from elasticsearch import Elasticsearch, TransportError, helpers

    with Elasticsearch(server.url, max_retries=0) as client:
        for chunk in chunks("elasticsearch"):
            until_stored(partial(helpers.bulk, client, chunk, chunk_size=CHUNK), TransportError)


def opensearch(server: Server, grpc: int) -> None:
    from opensearchpy import OpenSearch, TransportError, helpers

    with OpenSearch(server.url, max_retries=0) as client:
        for chunk in chunks("opensearch"):
            until_stored(partial(helpers.bulk, client, chunk, chunk_size=CHUNK), TransportError)


def chunks(name: str) -> Iterator[list[dict[str, Any]]]:
    """Documents with ids, as a bulk helper takes them."""
    for start in range(0, EVENTS, CHUNK):
        yield [
            {"_index": "logs", "_id": str(n), "service": name, "n": n, "message": f"event {n}"}
            for n in range(start, start + CHUNK)
        ]


def until_stored(send: Callable[[], object], failure: type[Exception]) -> None:
    """A chunk that fails is sent again as it was, ids and all."""
    until = time.monotonic() + GIVE_UP_S
    while True:
        try:
            assert send() == (CHUNK, [])
            return
        except failure:
            assert time.monotonic() < until
            time.sleep(0.1)


def sdk(exporter: Any, service: str) -> None:
    """OpenTelemetry's SDK; its exporter retries by itself."""
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    provider = LoggerProvider(resource=Resource.create({"service.name": service}))
    provider.add_log_record_processor(
        BatchLogRecordProcessor(exporter, max_queue_size=2 * EVENTS, max_export_batch_size=CHUNK)
    )
    logger = provider.get_logger("shop")
    for n in range(EVENTS):
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                severity_number=SeverityNumber.INFO,
                body=f"event {n}",
                attributes={"n": n},
            )
        )
    assert provider.force_flush(GIVE_UP_S * 1000)
    provider.shutdown()


def sdk_http(server: Server, grpc: int) -> None:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    sdk(OTLPLogExporter(f"{server.url}/v1/logs", timeout=GIVE_UP_S), "otlp-http")


def sdk_grpc(server: Server, grpc: int) -> None:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

    sdk(OTLPLogExporter(f"127.0.0.1:{grpc}", insecure=True, timeout=GIVE_UP_S), "otlp-grpc")


CLIENTS: dict[str, Callable[[Server, int], None]] = {
    "elasticsearch": elasticsearch,
    "opensearch": opensearch,
    "otlp-http": sdk_http,
    "otlp-grpc": sdk_grpc,
}


@pytest.mark.soak
def test_ten_thousand_events_of_each_client_over_a_kill(make_server: Any) -> None:
    grpc = free_port()
    server: Server = make_server(
        f'version: 1\nsources: {{e: {{type: elasticsearch}}, o: {{type: otlp, grpc: "127.0.0.1:{grpc}"}}}}'
    )
    server.start()
    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        sending = [threads.submit(client, server, grpc) for client in CLIENTS.values()]
        until = time.monotonic() + GIVE_UP_S
        while server.query("* | stats count() as n")[0]["n"] < 4 * CHUNK and time.monotonic() < until:
            time.sleep(0.01)
        server.kill()
        assert any(not sent.done() for sent in sending), "the kill came after the last event"
        server.start()
        for sent in sending:
            sent.result()
    rows = server.query("* | stats count() as total, distinct_exact(n) as different by service")
    found = {row["service"]: (row["different"], row["total"]) for row in rows}
    assert {service: different for service, (different, _) in found.items()} == dict.fromkeys(CLIENTS, EVENTS)
    assert (
        found["elasticsearch"] == found["opensearch"] == (EVENTS, EVENTS)
    )  # a chunk with ids that comes again is stored once
    # OTLP has no such ids: what was committed and not yet acknowledged comes again, one request at most.
    assert all(total <= EVENTS + CHUNK for _, total in found.values())
    assert server.stop() == 0
