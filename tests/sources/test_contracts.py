"""The contract of sources that listen in more than one way, in each; and that no source goes without."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import grpc
import grpc.aio
from anyio.streams.tls import TLSStream
from cordwood.plugins import Registry
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.sources.beats import Beats
from cordwood.sources.fluent_forward import FluentForward
from cordwood.sources.gelf import Gelf
from cordwood.sources.otlp import Otlp
from cordwood.sources.otlp.listener import SERVICE
from cordwood.sources.syslog import Syslog

from .listening import at, certificates, connected, free_port
from .test_beats import batch
from .test_fluent_forward import pack
from .wire import field

EVENTS = 20


def test_no_source_goes_without(installed: Registry) -> None:
    """A test of sources hands its class to the contract."""
    tested = {
        name
        for file in Path(__file__).parents[1].glob("*/test_*.py")
        for name in re.findall(r"source_contract\(\s*(\w+)", file.read_text())
    }
    own = {found.cls for found in installed.kinds["source"].values() if found.cls.__module__.startswith("cordwood.")}
    assert {cls.__name__ for cls in own} - tested - {"Stdin"} == set()  # Piped is its class, with another descriptor


def calls(folder: Path) -> Scenario:
    """OTLP by gRPC: a call is answered after its commit, and sent again where it says so."""
    port, told = free_port(), [0]

    async def call(n: int) -> None:
        body = field(1, field(2, field(2, field(5, field(1, b"%d" % n)))))
        async with grpc.aio.insecure_channel(at(port)) as channel:
            export = channel.unary_unary(f"/{SERVICE}/Export")
            while True:
                try:
                    await export(body, wait_for_ready=True, timeout=60)
                except grpc.aio.AioRpcError as why:
                    if why.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
                        return
                    await anyio.sleep(0.05)
                else:
                    told[0] += 1
                    return

    async def feed() -> None:
        async with anyio.create_task_group() as tasks:
            for n in range(EVENTS):
                tasks.start_soon(call, n)

    return Scenario({"grpc": at(port)}, feed, EVENTS, lambda: told[0])


test_otlp_by_grpc = source_contract(Otlp, calls)


def by_tls(message: Callable[[int], bytes], folder: Path) -> Scenario:
    port, pem = free_port(), certificates(folder)
    files_ = {"cert_file": str(pem["server"]), "key_file": str(pem["server_key"]), "client_ca_file": str(pem["ca"])}
    context = ssl.create_default_context(cafile=str(pem["ca"]))
    context.load_cert_chain(pem["client"], pem["client_key"])

    async def feed() -> None:
        stream = await TLSStream.wrap(
            await connected(port), hostname="127.0.0.1", ssl_context=context, standard_compatible=False
        )
        async with stream:
            await stream.send(b"".join(message(n) for n in range(EVENTS)))
            await anyio.sleep(0.2)

    return Scenario({"tls": {"listen": at(port), **files_}}, feed, EVENTS)


test_syslog_by_tls = source_contract(Syslog, partial(by_tls, lambda n: b"<13>line %d\n" % n))
test_gelf_by_tls = source_contract(Gelf, partial(by_tls, lambda n: b'{"short_message": "line %d"}\0' % n))
test_fluent_forward_by_tls = source_contract(
    FluentForward, partial(by_tls, lambda n: pack(["t", 1769860800, {"log": f"line {n}"}]))
)
test_beats_by_tls = source_contract(Beats, partial(by_tls, lambda n: batch([{"message": f"line {n}"}])))


def by_datagrams(kind: str, message: Callable[[int], bytes], folder: Path) -> Scenario:
    port, path = free_port(), folder / "log"

    def send() -> None:
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as peer:
            for n in range(EVENTS):
                peer.sendto(message(n), str(path) if kind == "unix" else ("127.0.0.1", port))

    async def feed() -> None:
        with anyio.fail_after(20):
            while not (path.exists() if kind == "unix" else _listens(port)):
                await anyio.sleep(0.01)
        await anyio.to_thread.run_sync(send)

    return Scenario({kind: str(path) if kind == "unix" else at(port)}, feed, EVENTS)


def _listens(port: int) -> bool:
    """Whether the port of UDP is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


test_syslog_by_a_unix_socket = source_contract(Syslog, partial(by_datagrams, "unix", lambda n: b"<13>line %d" % n))
test_syslog_by_udp = source_contract(Syslog, partial(by_datagrams, "udp", lambda n: b"<13>line %d" % n))
test_gelf_by_udp = source_contract(Gelf, partial(by_datagrams, "udp", lambda n: b'{"short_message": "line %d"}' % n))
