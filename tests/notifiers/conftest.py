"""An HTTP receiver on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cordwood.plugins import Notification


class Receiver(ThreadingHTTPServer):
    """Keeps every request; answers with `status`, `headers` and `body`, after `delay` seconds; with `bodies` first."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status, self.headers, self.body, self.delay = 200, dict[str, str](), b"", 0.0
        self.bodies: list[bytes] = []
        self.drip = False
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        names = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, names, body))
        time.sleep(self.server.delay)
        answer = self.server.bodies.pop(0) if self.server.bodies else self.server.body
        try:
            self.send_response(self.server.status)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            for byte in answer if self.server.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(0.1)
            if not self.server.drip:
                self.wfile.write(answer)
        except OSError:  # the other side did not wait
            self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_GET = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def notification() -> Notification:
    return Notification(
        delivery_id="6f1d3c1e-0000-4000-8000-000000000001",
        event="opened",
        incident_id=7,
        detector="errors",
        title='errors: n = 62 (n > 50) for service "pay"',
        severity="ERROR",
        group={"service": "pay"},
        values={"n": 62},
        opened_at="2026-01-31T12:00:00.000000000Z",
        resolved_at=None,
        link="http://127.0.0.1:8080/alerts/incidents/7",
        samples=[{"message": "card declined 1", "severity": "ERROR"}],
    )
