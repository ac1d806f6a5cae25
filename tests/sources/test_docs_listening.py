"""What docs/sources/ shows of the sources that listen: their settings start, and their senders reach them."""

from __future__ import annotations

import contextlib
import http.client
import logging
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgpack
import pytest
import yaml
from pygelf import GelfHttpHandler, GelfTcpHandler

from ..conftest import Server, data_folder, free_port
from ..services import (
    JAVASCRIPT,
    NODE,
    find_journal,
    find_logger,
    find_mosquitto,
    find_nginx,
    find_rsyslog,
    find_syslog_ng,
)
from .brokers import listens, mosquitto
from .clients_syslog import nginx_command, syslog_ng_command
from .listening import certificates
from .pages import PAGES, snippet
from .test_beats import batch as window_of_beats
from .test_journald import write as write_journal
from .test_syslog import rsyslog

FETCHING = ("cloudwatch", "docker", "http_poll", "kafka", "kubernetes", "s3", "sql_poll", "stdin")
"""Sources that fetch what they take in: test_docs_fetching.py."""
SHOP = "/var/log/shop"
"""The folder of log files on the page of `file`."""


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """A free port for each that the pages name."""
    named = re.findall(r"127\.0\.0\.1:(\d+)", "".join(PAGES.values()))
    return {port: str(free_port()) for port in dict.fromkeys(named)}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a short path, that any user can pass through."""
    with data_folder() as made:
        yield made


@pytest.fixture(scope="module")
def served(ports: dict[str, str], folder: Path, cluster: Path) -> Iterator[Server]:
    """One server with all sources of the pages."""
    pem = certificates(folder)
    names = {"server.pem": pem["server"], "server.key": pem["server_key"], "clients.pem": pem["ca"]}
    names |= {"/run/cordwood/log": folder / "log", SHOP: folder / "shop"}
    (folder / "shop").mkdir()
    sources: dict[str, dict[str, object]] = {}
    for page, content in PAGES.items():
        if page not in FETCHING and "```yaml" in content:
            text = moved(snippet(page, "yaml"), ports)
            for name, path in names.items():
                text = text.replace(name, str(path))
            sources |= yaml.safe_load(text)["sources"]
    if find_journal():
        (folder / "journal").mkdir()
        write_journal(folder / "journal", ["out of paper"], _SYSTEMD_UNIT="shop-1.service")
        sources["journal"] |= {"directory": str(folder / "journal")}
    server = Server(folder / "data", yaml.safe_dump({"version": 1, "sources": sources}), cluster=cluster)
    with mosquitto(folder, port=int(ports["1883"])) if find_mosquitto() else contextlib.nullcontext():
        yield from started(server, ports)


def started(server: Server, ports: dict[str, str]) -> Iterator[Server]:
    server.start()
    for port in (
        "5514",
        "6514",
        "12201",
        "12202",
        "24224",
        "24225",
        "5044",
    ):  # a server is ready before its sources listen
        reached(int(ports[port])).close()
    yield server
    server.kill()


@contextlib.contextmanager
def running(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A sender's daemon, until the end of the context."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def reached(port: int) -> socket.socket:
    """A connection, as soon as somebody listens."""
    give_up = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < give_up, f"nobody listens at {port}"
            time.sleep(0.02)


def moved(text: str, ports: dict[str, str]) -> str:
    """The text with free ports in place of its own."""
    return re.sub(r"\b(\d{4,5})\b", lambda found: ports.get(found[1], found[1]), text)


def found(server: Server, query: str, count: int = 1, *, wait: float = 20) -> list[dict[str, object]]:
    """The events of a query, as soon as there are so many."""
    give_up = time.monotonic() + wait
    while len(rows := server.query(query)) < count and time.monotonic() < give_up:
        time.sleep(0.05)
    return rows


def test_a_thousand_at_once_over_tcp(served: Server, ports: dict[str, str]) -> None:
    lines = b"".join(b"<11>1 2026-01-31T12:00:00.123456Z h c-syslog 1 - - syslog %d\n" % n for n in range(1000))
    with reached(int(ports["5514"])) as peer:
        peer.sendall(lines)
    assert len({event["message"] for event in found(served, "service:c-syslog | limit 2000", 1000)}) == 1000
    metrics = served.call("GET", "/metrics")[1].decode()
    assert 'cordwood_source_dropped_datagrams_total{source="devices",type="syslog"} 0.0' in metrics


@pytest.mark.skipif(find_logger() is None, reason="needs util-linux's logger")
def test_logger(served: Server, ports: dict[str, str]) -> None:
    subprocess.run(["sh", "-c", moved(snippet("syslog", "sh"), ports)], check=True)
    (event,) = found(served, 'service:shop "card declined"')
    assert (event["severity"], event["syslog.facility"]) == ("ERROR", "local1")


@pytest.mark.skipif(find_rsyslog() is None, reason="needs rsyslog")
def test_rsyslog(served: Server, ports: dict[str, str], data_dir: Path) -> None:
    with rsyslog(data_dir, moved(snippet("syslog", "rsyslog"), ports)) as path:
        while not path.exists():
            time.sleep(0.01)
        subprocess.run(["logger", "--socket", path, "--tag", "cart", "by rsyslog"], check=True)
        assert len(found(served, 'service:cart "by rsyslog"')) == 1


@pytest.mark.skipif(find_rsyslog() is None, reason="needs rsyslog")
def test_rsyslog_by_bulk(served: Server, data_dir: Path) -> None:
    with rsyslog(data_dir, snippet("elasticsearch", "rsyslog").replace("8080", str(served.port))) as path:
        while not path.exists():
            time.sleep(0.01)
        subprocess.run(["logger", "--socket", path, "--tag", "cart", "by bulk"], check=True)
        assert len(found(served, 'service:cart "by bulk"')) == 1


@pytest.mark.skipif(find_syslog_ng() is None, reason="needs syslog-ng")
def test_syslog_ng(served: Server, ports: dict[str, str], data_dir: Path) -> None:
    path = data_dir / "in"
    shown = moved(snippet("syslog", "syslog-ng"), ports)
    command, environment = syslog_ng_command(
        data_dir, f'source s_src {{ unix-dgram("{path}" flags(no-hostname)); }};\n{shown}'
    )
    with running(command, environment):
        while not path.exists():
            time.sleep(0.01)
        subprocess.run(["logger", "--socket", path, "--tag", "cart", "by syslog-ng"], check=True)
        assert len(found(served, 'service:cart "by syslog-ng"')) == 1


@pytest.mark.skipif(find_nginx() is None, reason="needs nginx")
def test_nginx(served: Server, ports: dict[str, str], data_dir: Path) -> None:
    port = free_port()
    command = nginx_command(data_dir, port, moved(snippet("syslog", "nginx"), ports))
    with running(command) as process:
        listens(port, process)
        asking = http.client.HTTPConnection("127.0.0.1", port)
        asking.request("GET", "/cart?id=7")
        assert asking.getresponse().status == 204
        asking.close()
        (event,) = found(served, 'service:shop "/cart?id=7"')
        assert (event["message"], event["severity"]) == ("GET /cart?id=7 204", "INFO")


def test_pythons_own_handler(served: Server, ports: dict[str, str]) -> None:
    exec(moved(snippet("syslog", "python"), ports), {})
    logger = logging.getLogger("shop")
    try:
        (event,) = found(served, 'service:shop "card refused"')
        assert event["severity"] == "ERROR"
    finally:
        logger.handlers.pop().close()


def test_winston(served: Server, ports: dict[str, str]) -> None:
    code = moved(snippet("syslog", "javascript"), ports)
    script = f"{code}\nsend().then((taken) => process.exit(taken ? 0 : 1))"
    subprocess.run([str(NODE), "-e", script], check=True, timeout=60, cwd=JAVASCRIPT)
    (event,) = found(served, 'service:shop "cart abandoned"')
    assert event["severity"] == "WARN"


def test_a_file(served: Server, folder: Path) -> None:
    subprocess.run(["sh", "-c", snippet("file", "sh").replace(SHOP, str(folder / "shop"))], check=True)
    (event,) = found(served, "source:access")
    assert event["message"].endswith("order 1")
    assert event["log.file.path"] == str(folder / "shop" / "app.log")


def test_pygelf(served: Server, ports: dict[str, str]) -> None:
    exec(moved(snippet("gelf", "python"), ports), {})
    logger = logging.getLogger("shop")
    try:
        (event,) = found(served, 'service:shop "payment refused"')
        assert (event["severity"], event["user"]) == ("ERROR", 42)
    finally:
        handler = logger.handlers.pop()
        handler.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves its connections open
@pytest.mark.parametrize("compress", [False, True])
def test_pygelf_by_http(served: Server, compress: bool) -> None:
    service = f"by-http-{compress}"
    handler = GelfHttpHandler("127.0.0.1", served.port, compress=compress, _service=service)
    for n in range(100):  # it closes without waiting for the answer: the server then finds nobody to answer
        handler.emit(logging.makeLogRecord({"msg": f"line {n}", "levelno": 30, "levelname": "WARNING"}))
    rows = found(served, f"service:{service}", 100)
    assert {event["message"] for event in rows} == {f"line {n}" for n in range(100)}
    assert {event["severity"] for event in rows} == {"WARN"}


def test_a_thousand_of_pygelf(served: Server, ports: dict[str, str]) -> None:
    handler = GelfTcpHandler(
        host="127.0.0.1", port=int(ports["12201"]), service="c-gelf", include_extra_fields=True, _service="c-gelf"
    )
    for n in range(1000):
        handler.emit(logging.makeLogRecord({"msg": f"gelf {n}", "levelno": 40, "levelname": "ERROR"}))
    handler.close()
    assert len({event["message"] for event in found(served, "service:c-gelf | limit 2000", 1000)}) == 1000


@pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto and mosquitto_pub")
def test_mqtt(served: Server, ports: dict[str, str]) -> None:
    give_up = time.monotonic() + 20
    while "source sensors: subscribed" not in served.log.read_text() and time.monotonic() < give_up:
        time.sleep(0.02)
    subprocess.run(["sh", "-c", moved(snippet("mqtt", "sh"), ports)], check=True)
    (event,) = found(served, "service:shop temperature:21.5")
    assert (event["device"], event["kind"], event["severity"]) == ("gh-07", "climate", "WARN")
    exec(moved(snippet("mqtt", "python"), ports), {})
    assert len(found(served, "service:shop temperature:22.5")) == 1


@pytest.mark.parametrize("compress", [False, True])
def test_a_window_of_beats(served: Server, ports: dict[str, str], compress: bool) -> None:
    documents = [{"service": {"name": f"c-beats-{compress}"}, "message": f"beat {n}"} for n in range(1000)]
    with reached(int(ports["5044"])) as peer:
        peer.sendall(window_of_beats(documents, compress=compress))
        answer = b""
        while answer[-6:] != b"2A" + (1000).to_bytes(4, "big"):
            answer += (got := peer.recv(1000))
            assert got
    assert len(served.query(f"service:c-beats-{compress} | limit 2000")) == 1000


def test_a_program(served: Server) -> None:
    (event,) = found(served, "exec.command:df Mounted")
    assert event["source"] == "disks"


@pytest.mark.skipif(find_journal() is None, reason="needs journalctl and systemd-journal-remote")
def test_the_journal(served: Server) -> None:
    (event,) = found(served, 'source:journal "out of paper"')
    assert (event["service"], event["severity"], event["_SYSTEMD_UNIT"]) == ("app", "WARN", "shop-1.service")


def test_fluent_logger(served: Server, ports: dict[str, str]) -> None:
    exec(moved(snippet("fluent_forward", "python"), ports), {})
    (event,) = found(served, 'service:shop.web "cart emptied"')
    assert (event["severity"], event["user"], event["fluent.tag"]) == ("WARN", 42, "shop.web")


def test_a_chunk_that_comes_again_is_stored_once(served: Server, ports: dict[str, str]) -> None:
    chunk = msgpack.packb(["again", [[1769860800, {"message": "chunk"}]] * 10, {"chunk": "p8n9gmxTQVC8/nh2wlKKeQ=="}])
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", int(ports["24224"]))) as peer:
            peer.sendall(chunk)
            assert msgpack.unpackb(peer.recv(1000)) == {"ack": "p8n9gmxTQVC8/nh2wlKKeQ=="}
    assert len(found(served, "service:again", 10)) == 10
