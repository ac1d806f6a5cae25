"""The syslog source on real sockets, with what people send from: logger, rsyslog, Python's own handler."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import random
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins import FatalError, RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.network import gather
from cordwood.sources.syslog import Syslog, SyslogConfig
from cordwood.sources.syslog.framing import CUT_OFF

from ..services import find_logger, find_rsyslog
from .listening import at, certificates, connected, free_port, listening, messages, send, until

pytestmark = pytest.mark.anyio


def source(**settings: Any) -> Syslog:
    return Syslog(SyslogConfig(**settings))


def lines(*span: int, app: str = "c-syslog") -> bytes:
    return b"".join(
        b"<11>1 2026-01-31T12:00:00.123456Z h %b 1 - - syslog %d\n" % (app.encode(), n) for n in range(*span)
    )


def scenario(_: Path) -> Scenario:
    port = free_port()

    async def feed() -> None:
        for part in range(5):
            await send(port, lines(20 * part, 20 * part + 20))

    return Scenario({"tcp": at(port)}, feed, 100)


test_contract = source_contract(Syslog, scenario)


async def test_tcp_of_many_and_at_once() -> None:
    port = free_port()
    async with listening(source(tcp=at(port))) as store:
        async with anyio.create_task_group() as tasks:
            for part in range(20):
                tasks.start_soon(send, port, lines(50 * part, 50 * part + 50))
        found = await messages(store, 1000)
    assert {event["message"] for event in found} == {f"syslog {n}" for n in range(1000)}
    assert {event["service"] for event in found} == {"c-syslog"}


async def test_order_of_one_peer_is_kept_while_the_store_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_PAUSE_S", 0.01)
    port = free_port()
    outlet = MemoryOutlet(MemoryStore(), trouble=0.3, chance=random.Random(3))
    async with listening(source(tcp=at(port)), outlet) as store:
        await send(port, lines(200))
        await until(lambda: len(set(store.lines)) >= 200)
    assert list(dict.fromkeys(store.lines)) == [f"syslog {n}" for n in range(200)]


async def test_what_was_read_is_stored_when_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_LINGER_S", 60.0)
    port = free_port()
    async with listening(source(tcp=at(port))) as store:
        await send(port, lines(100))
        await anyio.sleep(0.2)
        assert not store.lines
    assert len(store.lines) == 100


async def test_a_peer_waits_while_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_BYTES", 100_000)
    port, room = free_port(), anyio.Event()

    class Full(MemoryOutlet):
        async def send(self, *given: Any, **named: Any) -> Any:
            await room.wait()
            return await super().send(*given, **named)

    async with listening(source(tcp=at(port)), Full(MemoryStore())) as store, await connected(port) as peer:
        written, block = 0, lines(10_000)
        with anyio.move_on_after(1):
            while written < 200:
                await peer.send(block)
                written += 1
        assert written < 200, "a peer may send 140 MB while nothing is stored"
        room.set()
        await until(lambda: len(store.lines) >= written * 10_000, 30)
        assert len(store.lines) >= written * 10_000


async def test_a_half_open_peer_and_one_that_is_too_slow() -> None:
    port = free_port()
    syslog = source(tcp=at(port), unfinished="300ms", idle="10s")
    async with listening(syslog) as store, await connected(port) as quiet, await connected(port) as slow:
        await quiet.send(b"<13>whole\n")
        async with anyio.create_task_group() as tasks:

            async def drip() -> None:  # one byte now and then is no way to hold a connection
                with contextlib.suppress(anyio.BrokenResourceError):
                    for byte in b"<13>drop by drop and so on and on":
                        await slow.send(bytes([byte]))
                        await anyio.sleep(0.05)

            tasks.start_soon(drip)
            # A drop that is on its way when the connection ends is answered with a reset.
            with anyio.fail_after(5), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await slow.receive()
            tasks.cancel_scope.cancel()
        await quiet.send(b"99 <13>cut")  # a message that says it is longer
        await quiet.send_eof()
        found = await messages(store, 3)
    assert found[0]["message"] == "whole"
    assert "drop by drop".startswith(found[1]["message"])
    assert (found[2]["message"], found[2]["parse_error"]) == ("cut", CUT_OFF)


async def test_an_idle_peer_is_let_go_and_there_are_so_many_at_once(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    syslog = source(tcp=at(port), idle="200ms", max_connections=2)
    async with listening(syslog), await connected(port) as one, await connected(port), await connected(port) as third:
        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await third.receive()
        await until(lambda: syslog.counts["refused_connections"] == 1)
        assert syslog.counts["refused_connections"] == 1
        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await one.receive()
    assert "raise max_connections" in caplog.text


async def test_nonsense_ends_nothing() -> None:
    port, chance = free_port(), random.Random(5)
    async with listening(source(tcp=at(port), max_frame=1000)) as store:
        for size in (1, 100, 10_000, 1_000_000):
            await send(port, chance.randbytes(size))
        await send(port, lines(10))
        await until(lambda: "syslog 9" in store.lines)
        assert "syslog 9" in store.lines


async def test_the_same_port_again_and_again() -> None:
    port = free_port()
    store = MemoryStore()
    for n in range(5):
        async with listening(source(tcp=at(port), udp=at(port)), MemoryOutlet(store)):
            await send(port, lines(n, n + 1))
            await until(lambda n=n: len(store.lines) > n)  # type: ignore[misc]
    assert store.lines == [f"syslog {n}" for n in range(5)]


async def test_a_port_that_another_has_is_tried_again_later() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(RetryableError, match=f"tcp 127.0.0.1:{port}: .*another program"):
            await source(tcp=at(port)).run(MemoryOutlet(MemoryStore()))
    tls = {"listen": at(port), "cert_file": "/no/such.pem", "key_file": "/no/such.key"}
    with pytest.raises(FatalError, match="certificate"):
        await source(tls=tls).run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({}, "needs an address", id="none"),
        pytest.param({"tcp": "601"}, "write HOST:PORT", id="port alone"),
        pytest.param({"udp": "0.0.0.0:70000"}, "write HOST:PORT", id="no port"),
        pytest.param({"unix": "/" + "x" * 200}, "100", id="long path"),
    ],
)
def test_settings_are_checked(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SyslogConfig(**settings)  # type: ignore[arg-type]


async def test_udp_and_what_the_kernel_drops() -> None:
    port = free_port()
    room = anyio.Event()
    busy = False

    class Full(MemoryOutlet):
        async def send(self, *given: Any, **named: Any) -> Any:
            if busy:
                await room.wait()
            return await super().send(*given, **named)

    syslog = source(udp=at(port))
    async with listening(syslog, Full(MemoryStore())) as store:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            while not store.lines:  # it listens
                peer.sendto(b"<13>a: first\n", ("127.0.0.1", port))
                await anyio.sleep(0.02)
            (host,) = {event["host"] for batch in store.batches for event in batch.events()}
            assert host == "127.0.0.1"
            assert syslog.counts["dropped_datagrams"] == 0
            busy = True
            for n in range(40_000):
                peer.sendto(b"<13>" + b"x" * 1400, ("127.0.0.1", port))
                if n % 500 == 0:
                    await anyio.sleep(0)
        if not Path("/proc/net/udp").exists():
            pytest.skip("this system does not tell what it drops")
        assert syslog.counts["dropped_datagrams"] > 0
        room.set()


async def test_unix_socket(data_dir: Path) -> None:
    path = data_dir / "log"
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stale.bind(str(path))
    stale.close()
    async with listening(source(unix=str(path))) as store:
        await until(lambda: path.stat().st_mode & 0o777 == 0o666)
        handler = logging.handlers.SysLogHandler(str(path))
        handler.ident = "shop: "
        handler.emit(logging.makeLogRecord({"msg": "grün", "levelno": 40, "levelname": "ERROR"}))
        handler.close()
        (event,) = await messages(store, 1)
    assert (event["service"], event["message"], event["severity"]) == ("shop", "grün", "ERROR")
    assert not path.exists()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
async def test_pythons_handler(kind: socket.SocketKind) -> None:
    port = free_port()
    async with listening(source(tcp=at(port), udp=at(port))) as store:
        await (await connected(port)).aclose()
        handler = logging.handlers.SysLogHandler(("127.0.0.1", port), facility="local3", socktype=kind)
        for n in range(3):
            handler.emit(logging.makeLogRecord({"msg": f"line {n}", "levelno": 30, "levelname": "WARNING"}))
        handler.close()
        found = await messages(store, 3)
    assert [(event["message"], event["severity"]) for event in found] == [(f"line {n}", "WARN") for n in range(3)]
    assert found[0]["syslog.facility"] == "local3"


LOGGER = find_logger()


@pytest.mark.skipif(LOGGER is None, reason="needs util-linux's logger; tests/services.py installs it")
@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
@pytest.mark.parametrize("way", [["--tcp"], ["--tcp", "--octet-count"], ["--udp"]], ids="-".join)
async def test_logger(form: str, way: list[str]) -> None:
    port = free_port()
    given = ["--sd-id", "shop@1", "--sd-param", 'cart="7"'] if form == "--rfc5424" else []
    async with listening(source(tcp=at(port), udp=at(port))) as store:
        await (await connected(port)).aclose()
        command = [LOGGER, *way, "--server", "127.0.0.1", "--port", str(port), form, "--tag", "shop", "--id=42",
                   "--priority", "local1.err", *given]  # fmt: skip
        await anyio.run_process([*map(str, command)], input=b"one\ntwo\n", check=True)
        found = await messages(store, 2)
    assert [event["message"] for event in found] == ["one", "two"]
    assert {(e["service"], e["host"], e["severity"], e["syslog.facility"], e["syslog.procid"]) for e in found} == {
        ("shop", socket.gethostname().split(".")[0], "ERROR", "local1", "42")
    }
    assert not any("parse_error" in event for event in found)
    if given:
        assert {event["shop@1.cart"] for event in found} == {"7"}


RSYSLOG = find_rsyslog()


@contextmanager
def rsyslog(folder: Path, action: str, options: str = "") -> Iterator[Path]:
    """A daemon that forwards what is written to the socket it yields."""
    path = folder / "in"
    config = folder / "rsyslog.conf"
    config.write_text(
        f'global(workDirectory="{folder}" {options})\nmodule(load="imuxsock" SysSock.Use="off")\n'
        f'input(type="imuxsock" Socket="{path}")\n{action}\n'
    )
    process = subprocess.Popen(
        [str(RSYSLOG), "-n", "-f", config, "-i", folder / "pid"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield path
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(RSYSLOG is None, reason="needs rsyslog with OpenSSL; tests/services.py installs it")
@pytest.mark.parametrize("secured", [False, True], ids=["octet counts", "tls with client certificate"])
async def test_rsyslog_forwards(data_dir: Path, secured: bool) -> None:
    port, pem = free_port(), certificates(data_dir)
    action = (
        f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted" '
        'template="RSYSLOG_SyslogProtocol23Format"'
    )
    options, settings = "", {"tcp": at(port)}
    if secured:
        tls = {"listen": at(port), "cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
        settings = {"tls": tls | {"client_ca_file": str(pem["ca"])}}  # type: ignore[dict-item]
        action += ' StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"'
        options = (
            f'DefaultNetstreamDriverCAFile="{pem["ca"]}" DefaultNetstreamDriverCertFile="{pem["client"]}" '
            f'DefaultNetstreamDriverKeyFile="{pem["client_key"]}"'
        )
    async with listening(source(**settings)) as store:
        await (await connected(port)).aclose()  # it would try again half a minute later
        with rsyslog(data_dir, f"{action})", options) as path:
            await until(path.exists)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                for n in range(100):
                    log.sendto(b"<11>Jan 31 12:00:00 shop[7]: line %d" % n, str(path))
            found = await messages(store, 100)
    assert [event["message"].strip() for event in found] == [f"line {n}" for n in range(100)]
    assert {(event["service"], event["syslog.procid"], event["severity"]) for event in found} == {
        ("shop", "7", "ERROR")
    }


async def test_tls_says_which_side_refuses_and_why(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    pem = certificates(data_dir)
    tls = {"cert_file": str(pem["server"]), "key_file": str(pem["server_key"]), "client_ca_file": str(pem["ca"])}

    def connect(port: int) -> socket.socket:
        for _ in range(1000):
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise TimeoutError

    def talk(port: int, ca: str, client: str | None) -> None:
        context = ssl.create_default_context(cafile=pem[ca])
        if client:
            context.load_cert_chain(pem[client], pem[f"{client}_key"])
        with (
            contextlib.suppress(OSError),
            connect(port) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(lines(1))

    async def attempt(ca: str, client: str | None) -> str:
        caplog.clear()
        port = free_port()
        async with listening(source(tls=tls | {"listen": at(port)})) as store:
            await anyio.to_thread.run_sync(talk, port, ca, client)
            await until(lambda: store.lines or "TLS with" in caplog.text)
            return "stored" if store.lines else caplog.text

    assert await attempt("ca", "client") == "stored"
    assert "we refuse the client: it has no certificate" in await attempt("ca", None)
    assert "we refuse the client's certificate" in await attempt("ca", "other_client")
    assert "the client refuses us: unknown ca" in await attempt("other_ca", "client")


async def test_plain_text_at_a_tls_port_and_few_complaints(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    pem, port = certificates(data_dir), free_port()
    syslog = source(tls={"listen": at(port), "cert_file": str(pem["server"]), "key_file": str(pem["server_key"])})
    async with listening(syslog) as store:
        for _ in range(20):
            await send(port, lines(1))
        await until(lambda: syslog.counts["failed_handshakes"] == 20)
    assert syslog.counts["failed_handshakes"] == 20
    assert caplog.text.count("what the client sends is no TLS") == 1
    assert not store.lines
