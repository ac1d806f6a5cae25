"""The GELF source: documents as events, chunks and compression, and pygelf over every way that it knows."""

from __future__ import annotations

import gzip
import json
import logging
import os
import random
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins import RejectedError
from cordwood.plugins.conformance import Scenario, http_source_contract, source_contract
from cordwood.sources.gelf import Documents, Gelf, GelfConfig
from cordwood.sources.gelf.chunks import MAGIC, MOST_PENDING, Chunks
from cordwood.sources.gelf.documents import NO_MESSAGE, read_documents
from hypothesis import given, settings
from hypothesis import strategies as st
from pygelf import GelfTcpHandler, GelfTlsHandler, GelfUdpHandler

from .listening import at, certificates, connected, free_port, listening, messages, send
from .wire import received, request

pytestmark = pytest.mark.anyio
AT = 1_769_860_800_000_000_000
FULL = {
    "version": "1.1", "host": "web-1", "short_message": "disk full", "full_message": "disk full\nat /var",
    "timestamp": 1769860800.123, "level": 3, "_user": 42, "_service": "shop", "_message": "own", "line": 7,
}  # fmt: skip
EVENT = {
    "timestamp": "2026-01-31T12:00:00.123000000Z", "severity": "ERROR", "severity_text": "err", "host": "web-1",
    "message": "disk full", "full_message": "disk full\nat /var", "user": 42, "service": "shop", "_message": "own",
    "line": 7,
}  # fmt: skip


def document(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def events(*bodies: bytes) -> list[dict[str, Any]]:
    found = read_documents(bodies, AT).events()
    return [{k: v for k, v in event.items() if k != "observed_timestamp"} for event in found]


def scenario(_: Path) -> Scenario:
    port = free_port()

    async def feed() -> None:
        for part in range(5):
            await send(port, b"".join(document(short_message=f"{part} {n}") + b"\0" for n in range(20)))

    return Scenario({"tcp": at(port)}, feed, 100)


test_contract = source_contract(Gelf, scenario)
test_http_contract = http_source_contract(
    Gelf,
    [
        (request("/gelf", document(**FULL)), 1),
        (request("/gelf", json.dumps(FULL, indent=2).encode()), 1),
        (request("/gelf", document(**FULL) + b"\n" + document(**FULL)), 2),
    ],
)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document(indent: int | None) -> None:
    assert events(json.dumps(FULL, indent=indent).encode()) == [EVENT]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"short_message": "a"}, {"message": "a"}, id="least"),
        pytest.param({"full_message": "a"}, {"message": "a"}, id="full alone"),
        pytest.param({"short_message": 5, "level": "6"}, {"message": "5", "severity": "INFO", "severity_text": "info"},
                     id="other kinds"),
        pytest.param({"short_message": "a", "level": 0}, {"message": "a", "severity": "FATAL",
                                                               "severity_text": "emerg"}, id="emergency"),
        pytest.param({"short_message": "a", "level": "error"}, {"message": "a", "severity": "ERROR",
                                                               "severity_text": "error"}, id="word"),
        pytest.param({"short_message": "a", "level": 9}, {"message": "a", "severity": "INFO"}, id="no syslog level"),
        pytest.param({"short_message": "a", "user": 1, "_user": 2}, {"message": "a", "user": 1, "_user": 2},
                     id="taken"),
        pytest.param({"short_message": "a", "_": 1, "__": 2, "_level": 3}, {"message": "a", "_": 1, "__": 2,
                                                                          "_level": 3}, id="odd names"),
        pytest.param({"short_message": "a", "_a": {"b": [1]}, "^x$": 1, "*": 2}, {"message": "a", "a.b": [1], "^x$": 1,
                                                                                 "*": 2}, id="nested"),
        pytest.param({"_x": "y"}, {"x": "y", "parse_error": NO_MESSAGE}, id="no message"),
    ],
)  # fmt: skip
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    stamp = {"timestamp": "2026-01-31T12:00:00.000000000Z"}
    assert events(document(**fields)) == [stamp | expected]
    several = events(document(short_message="x"), document(**fields), b"no json")
    assert (several[1], several[2]["message"]) == (stamp | expected, "no json")
    assert "json" in several[2]["parse_error"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab{}", min_size=1), min_size=1), st.integers(1, 40))
def test_framing(texts: list[str], step: int) -> None:
    stream, framing = "\0".join(texts).encode(), Documents(1_000_000)
    found = [framing.feed(stream[i : i + step]) for i in range(0, len(stream), step)] + [framing.end()]
    assert b"\0".join(part for part in found if part).decode() == "\0".join(texts)


def test_an_endless_document_is_cut() -> None:
    framing = Documents(10_000)
    found = [part for _ in range(1000) if (part := framing.feed(b"{" * 1000))]
    found.append(framing.feed(b"}\0{}\0"))
    assert [len(part) for part in found] == [10_000, 2]
    assert not framing.unfinished


def chunks(data: bytes, size: int = 100, name: bytes = b"12345678") -> list[bytes]:
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    return [MAGIC + name + struct.pack("BB", n, len(parts)) + part for n, part in enumerate(parts)]


def test_chunks_in_any_order_doubled_and_of_two_peers() -> None:
    made, data = Chunks(), os.urandom(1000)
    sent = [(chunk, peer) for chunk in chunks(data) * 2 for peer in ("a", "b")]
    random.Random(1).shuffle(sent)
    assert [whole for chunk, peer in sent if (whole := made.add(chunk, peer))][:2] == [data, data]


def test_chunks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Chunks()
    for n in range(MOST_PENDING + 50):
        assert made.add(chunks(b"x" * 200, name=struct.pack("Q", n))[0], "a") is None
    assert len(made._pending) <= MOST_PENDING
    assert made.incomplete >= 49
    for bad in (MAGIC, MAGIC + b"12345678", MAGIC + b"12345678\x05\x05x", MAGIC + b"12345678\x00\xffx"):
        assert made.add(bad, "a") is None
    monkeypatch.setattr("cordwood.sources.gelf.chunks.EXPIRE_S", 0.0)
    made.add(chunks(b"x" * 200, name=b"late....")[0], "a")
    assert made.add(chunks(b"x" * 200, name=b"late....")[1], "a") is None


async def test_datagrams_of_all_forms() -> None:
    port = free_port()
    source = Gelf(GelfConfig(udp=at(port)))
    plain = [document(short_message=f"m{n}", _pad="x" * 500) for n in range(5)]
    sent = [
        [plain[0]],
        [gzip.compress(plain[1])],
        [zlib.compress(plain[2])],
        chunks(plain[3]),
        chunks(gzip.compress(plain[4]), 30),
    ]
    bomb = gzip.compress(document(short_message="boom", _pad="x" * 50_000_000))
    async with listening(source) as store, await anyio.create_connected_udp_socket("127.0.0.1", port) as peer:
        while not store.lines:
            with suppress(anyio.BrokenResourceError):
                await peer.send(plain[0])
            await anyio.sleep(0.05)
        await anyio.sleep(0.2)
        store.batches.clear()
        for datagrams in [
            *sent,
            chunks(bomb, 1000),
            [zlib.compress(plain[0])[:20]],
            [b"\x1f\x8bnonsense"],
            [b"\xff"],
        ]:
            for datagram in datagrams:
                await peer.send(datagram)
                await anyio.sleep(0)
        found = await messages(store, 9)
    good = [event for event in found if "parse_error" not in event]
    assert sorted(event["message"] for event in good) == ["m0", "m1", "m2", "m3", "m4"]
    assert max(len(event["message"]) for event in found) <= 1_048_576
    assert source.counts["incomplete_messages"] == 0


async def test_no_gelf_by_http_is_refused() -> None:
    with pytest.raises(RejectedError, match="JSON object"):
        await received(Gelf(GelfConfig()), request("/gelf", b"hello"))


@contextmanager
def logging_to(handler: logging.Handler) -> Iterator[logging.Logger]:
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        handler.close()


@pytest.mark.parametrize("way", ["tcp", "tls", "udp", "udp plain", "udp chunked"])
async def test_pygelf(way: str, data_dir: Path) -> None:
    port = free_port()
    pem = certificates(data_dir)
    tls = {"listen": at(port), "cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
    named: dict[str, Any] = {"host": "127.0.0.1", "port": port, "include_extra_fields": True, "_service": "c-gelf"}
    handlers: dict[str, Any] = {
        "tcp": lambda: GelfTcpHandler(service="c-gelf", **named),
        "tls": lambda: GelfTlsHandler(validate=True, ca_certs=str(pem["ca"]), **named),
        "udp": lambda: GelfUdpHandler(**named),
        "udp plain": lambda: GelfUdpHandler(compress=False, **named),
        "udp chunked": lambda: GelfUdpHandler(compress=False, chunk_size=40, **named),
    }
    config = GelfConfig(tls=tls) if way == "tls" else GelfConfig(tcp=at(port), udp=at(port))  # type: ignore[arg-type]
    async with listening(Gelf(config)) as store:
        await (await connected(port)).aclose()

        def talk() -> None:
            with logging_to(handlers[way]()) as logger:
                for n in range(50):
                    logger.error("line %d", n, extra={"cart": n})

        await anyio.to_thread.run_sync(talk)
        found = await messages(store, 50)
    assert [event["message"] for event in found] == [f"line {n}" for n in range(50)]
    assert {(event["service"], event["severity"]) for event in found} == {("c-gelf", "ERROR")}
    assert [event["cart"] for event in found] == list(range(50))
