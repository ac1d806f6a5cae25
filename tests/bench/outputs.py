"""Outputs, in events a CPU second of Cordwood and its PostgreSQL, beside taking the same events in.

Each output gets as many events, on a server of its own, posted as NDJSON; what a server spends without an output is
taken off. The other side of `cordwood` and `otlp` lives in this process and throws away what it gets.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from . import ways
from .corpus import corpus
from .server import Server
from .usage import cpu_seconds

_WAIT_S: Final = 300.0
_START: Final = "every: 1s, start: beginning"


def run(events: int, seed: int = 1) -> dict[str, dict[str, float]]:
    """The figures of each output by its name, and of `ingest` alone.

    :raises RuntimeError: a request was refused, or events are missing
    """
    path = corpus(events, seed)
    found: dict[str, dict[str, float]] = {}
    with _sink() as url:
        outputs = {
            "ingest": "",
            "file parquet": f"type: file, folder: FOLDER, {_START}",
            "file ndjson": f"type: file, folder: FOLDER, format: ndjson, {_START}",
            "cordwood": f'type: cordwood, url: "{url}", {_START}',
            "otlp": f'type: otlp, url: "{url}", {_START}',
        }
        for name, output in outputs.items():
            spent = _measured(path, events, output)
            base = found["ingest"]["cpu_s"] if found else 0.0
            own = max(spent - base, 0.01)
            found[name] = {"cpu_s": spent, "events_per_cpu_s": events / own}
    return found


def report(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures for people."""
    base = figures["ingest"]["events_per_cpu_s"]
    lines = ["outputs: events a CPU second of Cordwood and PostgreSQL, what taking them in costs taken off"]
    for name, told in figures.items():
        rate = told["events_per_cpu_s"]
        lines.append(f"  {name:<14} {rate:>9,.0f}   {rate / base:.2f} of taking in")
    return "\n".join(lines)


def _measured(path: Path, events: int, output: str) -> float:
    """CPU seconds until so many events are committed, and sent by the output if there is one."""
    with tempfile.TemporaryDirectory(prefix="cordwood-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        way = ways.ndjson(path, folder)
        config = f"outputs: {{out: {{{output.replace('FOLDER', text + '/out')}}}}}" if output else way.config
        with Server(folder, config=config) as server:
            before = cpu_seconds(server.family())["total"]
            way.send(server)
            began = time.monotonic()
            while output and (sent := _sent(server)) < events:
                if time.monotonic() - began > _WAIT_S:
                    raise RuntimeError(f"{sent} of {events} events sent after {_WAIT_S:.0f} s")
                time.sleep(0.1)
            return cpu_seconds(server.family())["total"] - before


def _sent(server: Server) -> int:
    (output,) = json.loads(server.get("/api/v1/pipelines")[1])["outputs"]
    if output["refused"] or output["state"] == "failed":
        raise RuntimeError(f"the output fails: {output['error']}")
    return int(output["events"])


class _Sink(BaseHTTPRequestHandler):
    """Takes everything, and answers as another Cordwood, and as a collector that says nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"accepted": 1}' if self.path == "/api/v1/logs" else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def _sink() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
