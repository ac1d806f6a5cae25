"""Ways in beside NDJSON over HTTP, in events a CPU second of Cordwood and its PostgreSQL; and memory with 1,000 files.

Each way gets as many events to a server of its own, until all are committed: OTLP by gRPC, Elasticsearch's bulk API,
syslog over TCP, Loki's protobuf, a file of access log lines read by `clf`, and one of sshd's lines read by `grok`.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import pyarrow as pa

from . import otlp, syslog
from .corpus import corpus
from .server import Server, free_port
from .usage import PeakMemory, cpu_seconds, resident_bytes

AIMS: Final = {
    "otlp_grpc": 0.5, "otlp_http": 0.5, "bulk": 0.5, "syslog_tcp": 0.4, "loki_protobuf": 0.4, "file_clf": 0.35,
    "grok_sshd": 0.2,
}  # fmt: skip
FILES: Final = 1000
FILE_MIB: Final = 400
"""The aim for memory with so many files."""
CONNECTIONS: Final = 4
_COMMITTED: Final = re.compile(rb"(?m)^cordwood_committed_events_total (\S+)")
_WAIT_S: Final = 300.0
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_SSHD: Final = (
    r"%{SYSLOGTIMESTAMP:time} %{SYSLOGHOST:host} sshd\[%{POSINT:pid:int}\]: "
    r"%{WORD:action} password for (?:invalid user )?%{USERNAME:user} from %{IP:client} port %{POSINT:port:int} ssh2"
)

Event: TypeAlias = Mapping[str, Any]
Send: TypeAlias = Callable[[Server], None]


@dataclass(frozen=True, slots=True)
class Way:
    """What a server needs, and what sends the events to it once it is ready."""

    config: str
    send: Send


def run(events: int, names: Sequence[str] | None = None, seed: int = 1) -> dict[str, Any]:
    """The figures of each way by its name, `ndjson` among them, and of the many files.

    :raises RuntimeError: a request was refused, or events are missing
    """
    path = corpus(events, seed)
    found: dict[str, Any] = {}
    for name in ["ndjson", *(names or AIMS)]:
        with tempfile.TemporaryDirectory(prefix="cordwood-bench-") as text:
            folder = Path(text)
            folder.chmod(0o755)
            way = _WAYS[name](path, folder)
            with Server(folder, config=way.config) as server:
                found[name] = _measured(server, events, way.send)
    if names is None:
        found["files"] = _many_files(path, events)
    return found


def report(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures for people."""
    base = figures["ndjson"]["events_per_cpu_s"]
    lines = ["ways in: events a CPU second of Cordwood and PostgreSQL, all committed"]
    for name, told in figures.items():
        if name == "files":
            lines.append(f"  {FILES} files: {told['peak_mib']:.0f} MiB at most, {told['ready_mib']:.0f} before")
        else:
            aim = f"   aim {AIMS[name]}" if name in AIMS else ""
            rate = told["events_per_cpu_s"]
            lines.append(f"  {name:<14} {rate:>9,.0f}   {rate / base:.2f} of NDJSON{aim}")
    return "\n".join(lines)


def _measured(server: Server, events: int, send: Send) -> dict[str, float]:
    """CPU until so many events are committed."""
    before = cpu_seconds(server.family())
    send(server)
    began = time.monotonic()
    while (committed := _committed(server)) < events:
        if time.monotonic() - began > _WAIT_S:
            raise RuntimeError(f"{committed:.0f} of {events} events committed after {_WAIT_S:.0f} s")
        time.sleep(0.1)
    after = cpu_seconds(server.family())
    if (found := server.count()) != events or (bad := server.count("parse_error:*")):
        raise RuntimeError(f"{found} events found, {events} sent, {bad} with parse_error")
    used = {who: after[who] - before[who] for who in after}
    return {"cpu_s": used["total"], "postgres_s": used["postgres"], "events_per_cpu_s": events / used["total"]}


def _committed(server: Server) -> float:
    found = _COMMITTED.search(server.get("/metrics")[1])
    return float(found[1]) if found else 0.0


def _many_files(path: Path, events: int) -> dict[str, float]:
    """Memory of Cordwood while it reads `FILES` files that appear at once."""
    with tempfile.TemporaryDirectory(prefix="cordwood-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        (folder / "new").mkdir()
        lines = path.read_bytes().splitlines(keepends=True)
        for number in range(FILES):
            (folder / "new" / f"{number}.log").write_bytes(b"".join(lines[number::FILES]))
        del lines
        config = f'sources: {{logs: {{type: file, include: ["{folder}/logs/*.log"]}}}}'
        with Server(folder, config=config) as server:
            ready = resident_bytes(server.family())
            with PeakMemory(server.family) as peak:
                (folder / "new").rename(folder / "logs")
                _measured(server, events, lambda _: None)
        return {"ready_mib": ready / 2**20, "peak_mib": peak.peak_bytes / 2**20}


def _events(path: Path) -> Iterator[Event]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


def _posted(config: str, target: str, media: str, bodies: Sequence[bytes]) -> Way:
    """A way by HTTP: so many requests at a time, each answered after its commit."""

    def send(server: Server) -> None:
        def one(body: bytes) -> None:
            status, said, _ = server.call("POST", target, body, {"Content-Type": media})
            if status not in (200, 204):
                raise RuntimeError(f"{target}: {status} {said[:300]!r}")

        with ThreadPoolExecutor(CONNECTIONS) as threads:
            list(threads.map(one, bodies))

    return Way(config, send)


def ndjson(path: Path, folder: Path) -> Way:
    bodies = [b"\n".join(lines) for lines in otlp.lots(path)]
    return _posted("sources: {}", "/api/v1/logs", "application/x-ndjson", bodies)


def _bulk(path: Path, folder: Path) -> Way:
    """As clients' helpers write it: an action before each document."""
    action = b'{"create":{"_index":"logs"}}\n'
    bodies = [b"".join(action + line + b"\n" for line in lines) for lines in otlp.lots(path)]
    return _posted("sources: {e: {type: elasticsearch}}", "/_bulk", "application/x-ndjson", bodies)


def _otlp_http(path: Path, folder: Path) -> Way:
    bodies = [otlp.request(lines) for lines in otlp.lots(path)]
    return _posted("sources: {o: {type: otlp}}", "/v1/logs", "application/x-protobuf", bodies)


def _otlp_grpc(path: Path, folder: Path) -> Way:
    address = f"127.0.0.1:{free_port()}"
    bodies = [otlp.request(lines) for lines in otlp.lots(path)]

    def send(server: Server) -> None:
        call = otlp.export(address)
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            list(threads.map(call, bodies))

    return Way(f'sources: {{o: {{type: otlp, grpc: "{address}"}}}}', send)


def _loki(path: Path, folder: Path) -> Way:
    """A stream for each service, host and level; the other fields are structured metadata."""
    bodies = [_push(list(map(json.loads, lines))) for lines in otlp.lots(path)]
    return _posted("sources: {l: {type: loki}}", "/loki/api/v1/push", "application/x-protobuf", bodies)


def _push(events: Sequence[Event]) -> bytes:
    streams: dict[str, list[bytes]] = defaultdict(list)
    for event in events:
        labels = f'{{service_name="{event["service"]}", host="{event["host"]}", level="{event["level"]}"}}'
        at = int(datetime.fromisoformat(event["timestamp"]).timestamp() * 1_000_000)
        stamp = b"\x08" + _varint(at // 1_000_000) + b"\x10" + _varint(at % 1_000_000 * 1000)
        entry = [_field(1, stamp), _field(2, event["message"].encode())]
        for name in ("path", "status", "duration", "trace_id"):
            if name in event:
                pair = _field(1, name.encode()) + _field(2, str(event[name]).encode())
                entry.append(_field(3, pair))
        streams[labels].append(_field(2, b"".join(entry)))
    plain = b"".join(_field(1, _field(1, labels.encode()) + b"".join(found)) for labels, found in streams.items())
    return bytes(pa.Codec("snappy").compress(plain, asbytes=True))


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _syslog(path: Path, folder: Path) -> Way:
    port, lines = free_port(), syslog.written(path)
    return Way(syslog.config(port), lambda server: syslog.send(lines, port))


def _file(folder: Path, lines: Iterator[str], parse: str) -> Way:
    """A file that appears, whole, where the server looks for it."""
    (folder / "logs").mkdir()
    written, shown = folder / "all.written", folder / "logs" / "all.log"
    with written.open("w") as file:
        file.writelines(lines)
    config = (
        f'sources: {{logs: {{type: file, include: ["{folder}/logs/*.log"]}}}}\n'
        f"pipelines: {{all: {{from: [logs], parse: [{parse}]}}}}\n"
    )
    return Way(config, lambda server: written.rename(shown) and None)


def _clf(path: Path, folder: Path) -> Way:
    def lines() -> Iterator[str]:
        for number, event in enumerate(_events(path)):
            at = datetime.fromisoformat(event["timestamp"]).strftime("%d/%b/%Y:%H:%M:%S +0000")
            what = f'"GET {event.get("path", "/")} HTTP/1.1" {event.get("status", 200)} {len(event["message"]) * 37}'
            yield f'10.1.{number % 200}.{number % 251} - - [{at}] {what} "-" "{_AGENT}"\n'

    return _file(folder, lines(), "{type: clf}")


def _sshd(path: Path, folder: Path) -> Way:
    def lines() -> Iterator[str]:
        for number, event in enumerate(_events(path)):
            at = datetime.fromisoformat(event["timestamp"]).strftime("%b %d %H:%M:%S")
            who = ("Accepted password for ada", "Failed password for root", "Failed password for invalid user admin")
            where = f"173.{number % 200}.{number % 251}.7 port {1024 + number % 60_000} ssh2"
            yield f"{at} {event['host']} sshd[{number % 30_000 + 1}]: {who[number % 3]} from {where}\n"

    return _file(folder, lines(), f"{{type: grok, pattern: '{_SSHD}'}}")


_WAYS: Final[Mapping[str, Callable[[Path, Path], Way]]] = {
    "ndjson": ndjson,
    "otlp_grpc": _otlp_grpc,
    "otlp_http": _otlp_http,
    "bulk": _bulk,
    "syslog_tcp": _syslog,
    "loki_protobuf": _loki,
    "file_clf": _clf,
    "grok_sshd": _sshd,
}
