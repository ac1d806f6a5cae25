"""Node's clients over a kill: winston with its transports, pino-loki, OpenTelemetry's SDK."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..services import JAVASCRIPT, NODE
from .clients_syslog import tcp, udp
from .killing import Client, Loss, Send, Stage, connections, lines_to, program


@contextmanager
def node(stage: Stage) -> Iterator[Send]:
    """`clients.mjs`, which logs each line of its input."""
    command = (NODE, JAVASCRIPT / "clients.mjs", stage.name, stage.server.url, str(stage.port))
    with program(stage, *command, stdin=subprocess.PIPE) as process:
        yield lines_to(process, stage)


def grpc(stage: Stage) -> dict[str, Any]:
    return {"type": "otlp", "grpc": f"127.0.0.1:{stage.port}"}


def has_connection(stage: Stage) -> bool:
    """After a failure gRPC waits for 1, 1.6, 2.6, … s before it connects again, and its calls fail meanwhile."""
    return any(c.laddr.port == stage.port for c in connections(stage.server) if c.raddr)


CLIENTS: Mapping[str, Client] = {
    "winston-syslog-udp": Client(node, Loss.AWAY, udp),
    "winston-syslog-tcp": Client(node, Loss.UNACKNOWLEDGED, tcp),
    "winston-http": Client(node, Loss.AWAY),
    "pino-loki": Client(node, Loss.AWAY),
    # OpenTelemetry's exporter for JavaScript gives a batch up after five tries, within some eight seconds.
    "otlp-js-http": Client(node, Loss.AWAY, again=250),
    # The one by gRPC sends nothing again, whatever the answer.
    "otlp-js-grpc": Client(node, Loss.AWAY, grpc, connected=has_connection),
}
