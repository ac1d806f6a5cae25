"""Python's clients over a kill: pygelf, fluent-logger, handlers for Loki and Splunk, Datadog's client, logging."""

from __future__ import annotations

import logging
import logging.handlers
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem
from fluent.sender import FluentSender
from loki_logger_handler.loki_logger_handler import LokiLoggerHandler
from pygelf import GelfHttpHandler, GelfTcpHandler, GelfTlsHandler, GelfUdpHandler
from splunk_handler import SplunkHandler

from .killing import GIVE_UP_S, Client, Loss, Send, Stage
from .listening import certificates

BATCH = 100
AT_ONCE = 8


def record(stage: Stage, number: int) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": stage.text(number), "levelno": 20, "levelname": "INFO"})


def gelf(transport: str) -> Callable[[Stage], Mapping[str, Any]]:
    """Settings of the source for a transport."""

    def settings(stage: Stage) -> dict[str, Any]:
        address = f"127.0.0.1:{stage.port}"
        if transport != "tls":
            return {"type": "gelf", transport: address}
        pem = certificates(stage.folder)
        files = {"cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
        return {"type": "gelf", "tls": {"listen": address, **files}}

    return settings


def pygelf(handler_class: Any, **more: Any) -> Callable[[Stage], Any]:
    """One of pygelf's handlers."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        handler = handler_class(host="127.0.0.1", port=stage.port, _service="shop", **more)
        handler.handleError = lambda _: None  # it writes on standard error
        stage.client = handler
        yield lambda n: handler.handle(record(stage, n)) and None
        handler.close()

    return opened


def has_socket(stage: Stage) -> bool:
    """After a failure logging's SocketHandler waits for 1, 2, 4, … 30 s, and drops what it is given meanwhile."""
    return stage.client.sock is not None


@contextmanager
def pygelf_http(stage: Stage) -> Iterator[Send]:
    """It reads no answer, and ends the connection at once, so that nothing slows it."""
    handler = GelfHttpHandler("127.0.0.1", stage.server.port, _service="shop")

    def send(n: int) -> None:
        try:
            handler.emit(record(stage, n))
        except OSError:
            stage.refused.add(n)
        time.sleep(0.01)  # it would send ever more before the first is answered: the server then refuses connections

    yield send


@contextmanager
def fluent(stage: Stage) -> Iterator[Send]:
    """fluent-logger, which keeps what it could not send, up to a MiB."""
    sender = FluentSender("shop", host="127.0.0.1", port=stage.port, nanosecond_precision=True)
    yield lambda n: sender.emit("web", {"message": stage.text(n)}) and None
    sender.close()


@contextmanager
def loki(stage: Stage) -> Iterator[Send]:
    """loki-logger-handler, which sends a batch once."""
    handler = LokiLoggerHandler(f"{stage.server.url}/loki/api/v1/push", {"service_name": "shop"}, timeout=0.1)
    yield lambda n: handler.emit(record(stage, n))
    until = time.monotonic() + GIVE_UP_S
    while not handler.buffer.empty():
        assert time.monotonic() < until
        time.sleep(0.01)


@contextmanager
def splunk(stage: Stage) -> Iterator[Send]:
    """splunk_handler, which sends again what was not answered."""
    handler = SplunkHandler(
        "127.0.0.1", stage.server.port, "TOKEN", "main", protocol="http", verify=True, flush_interval=0.1, queue_size=0,
        retry_count=12, retry_backoff=0.05,
    )  # fmt: skip
    yield lambda n: handler.emit(record(stage, n))
    handler.close()


@contextmanager
def datadog(stage: Stage) -> Iterator[Send]:
    """Datadog's client; a request that fails is sent again."""
    items: list[HTTPLogItem] = []
    with ApiClient(Configuration(host=stage.server.url, api_key={"apiKeyAuth": "TOKEN"})) as client:
        api = LogsApi(client)

        def flush() -> None:
            until = time.monotonic() + GIVE_UP_S
            while items:
                try:
                    api.submit_log(body=HTTPLog(items))
                    items.clear()
                except Exception:  # urllib3's errors, and the client's own
                    assert time.monotonic() < until
                    time.sleep(0.1)

        def send(n: int) -> None:
            items.append(HTTPLogItem(message=stage.text(n), service="shop"))
            if len(items) == BATCH:
                flush()

        yield send
        flush()


@contextmanager
def http(stage: Stage) -> Iterator[Send]:
    """Logging's HTTPHandler: a connection and a request an event; several, for each waits for its commit."""
    where = f"127.0.0.1:{stage.server.port}"
    handlers = [logging.handlers.HTTPHandler(where, "/api/v1/logs?service=shop", "POST") for _ in range(AT_ONCE)]
    for handler in handlers:
        handler.handleError = lambda failed: stage.refused.add(failed.number)  # type: ignore[method-assign]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        given: list[Any] = []

        def send(n: int) -> None:
            made = record(stage, n)
            made.number = n
            given.append(threads.submit(handlers[n % AT_ONCE].handle, made))
            if len(given) > 10 * AT_ONCE:
                given.pop(0).result()

        yield send
        for done in given:
            done.result()


PYTHON: Mapping[str, Client] = {
    "pygelf-udp": Client(pygelf(GelfUdpHandler), Loss.AWAY, gelf("udp")),
    "pygelf-tcp": Client(pygelf(GelfTcpHandler), Loss.AWAY, gelf("tcp"), connected=has_socket),
    "pygelf-tls": Client(pygelf(GelfTlsHandler), Loss.AWAY, gelf("tls"), connected=has_socket),
    "pygelf-http": Client(pygelf_http, Loss.AWAY),
    "fluent-logger": Client(
        fluent, Loss.UNACKNOWLEDGED, lambda stage: {"type": "fluent_forward", "tcp": f"127.0.0.1:{stage.port}"}, again=1
    ),
    "loki-logger-handler": Client(loki, Loss.AWAY),
    "splunk-handler": Client(splunk, Loss.NOTHING, again=3000),
    "datadog-api-client": Client(datadog, Loss.NOTHING, again=BATCH),
    "python-http": Client(http, Loss.REFUSED),
}
