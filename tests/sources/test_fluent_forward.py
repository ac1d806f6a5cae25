"""The forward protocol: streams as the specification and Fluent Bit have them, and fluent-logger."""

from __future__ import annotations

import gzip
import hashlib
import ssl
import struct
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.fluent_forward import FluentForward, FluentForwardConfig
from cordwood.sources.fluent_forward.frames import (
    MOST_ENTRY,
    Framing,
    MalformedError,
    lines,
    read_message,
    read_messages,
)
from fluent.sender import FluentSender
from hypothesis import given, settings
from hypothesis import strategies as st

from .listening import at, certificates, connected, free_port, listening, messages, send

pytestmark = pytest.mark.anyio
AT = 1_769_860_800
TIME = "2026-01-31T12:00:00.000000000Z"
NANOS = "2026-01-31T12:00:00.123456789Z"
pack = msgpack.packb


def event_time(seconds: int = AT, nanoseconds: int = 123_456_789) -> msgpack.ExtType:
    return msgpack.ExtType(0, struct.pack(">II", seconds, nanoseconds))


def entries(*records: Any, at: Any = None) -> bytes:
    return b"".join(pack([event_time() if at is None else at, record]) for record in records)


def events(*sent: bytes) -> list[dict[str, Any]]:
    understood = [message for raw in sent if (message := read_message(raw))]
    found = read_messages(understood, AT * 10**9, 1_000_000).events()
    return [{k: v for k, v in event.items() if k not in ("observed_timestamp", "fluent.tag")} for event in found]


EVENT = {"timestamp": NANOS, "service": "app.web", "message": "hello", "user": 42}
RECORD = {"message": "hello", "user": 42}
FORMS = {
    "message": (pack(["app.web", event_time(), RECORD]), 1),
    "message with options": (pack(["app.web", event_time(), RECORD, {"chunk": "c"}]), 1),
    "forward": (pack(["app.web", [[event_time(), RECORD]] * 20, {"size": 20}]), 20),
    "packed": (pack(["app.web", entries(RECORD, RECORD)]), 2),
    "packed by fluent bit": (
        pack(["app.web", entries(RECORD, RECORD, at=[event_time(), {}]), {"size": 2, "fluent_signal": 0}]), 2,
    ),
    "compressed": (pack(["app.web", gzip.compress(entries(RECORD)), {"compressed": "gzip"}]), 1),
    "compressed in two": (
        pack(["app.web", gzip.compress(entries(RECORD)) + gzip.compress(entries(RECORD)), {"compressed": "gzip"}]), 2,
    ),
    "version 0": (pack([b"app.web", entries(RECORD)], use_bin_type=False), 1),
    "heartbeat": (pack(None), 0),
    "nothing in it": (pack(["app.web", b"", {"size": 0}]), 0),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_message(form: str) -> None:
    raw, count = FORMS[form]
    assert events(raw) == [EVENT] * count


def test_messages_of_all_forms_follow_each_other_in_any_pieces() -> None:
    stream = b"".join(raw for raw, _ in FORMS.values())
    for step in (1, 7, 100_000):
        framing = Framing(100_000)
        found = [raw for i in range(0, len(stream), step) for raw in framing.feed(stream[i : i + step])]
        assert found == [raw for raw, _ in FORMS.values()]
        assert framing.held == 0


@pytest.mark.parametrize(
    ("record", "at", "expected"),
    [
        pytest.param({"log": "x", "level": "warn"}, AT, {"timestamp": TIME, "message": "x", "severity": "WARN",
                                                         "severity_text": "warn"}, id="seconds"),
        pytest.param({"log": "x"}, AT + 0.5, {"timestamp": "2026-01-31T12:00:00.500000000Z", "message": "x"},
                     id="float"),
        pytest.param({"log": "x"}, event_time(5, 7), {"timestamp": "1970-01-01T00:00:05.000000000Z", "message": "x"},
                     id="long ago"),
        pytest.param({"timestamp": "own", "a": 1}, AT, {"timestamp": TIME, "record.timestamp": "own", "a": 1},
                     id="own timestamp"),
        pytest.param({"kubernetes": {"pod": "p", "n": [1, 2]}, "app": "shop"}, AT,
                     {"timestamp": TIME, "service": "shop", "kubernetes.pod": "p", "kubernetes.n": [1, 2]},
                     id="nested"),
        pytest.param({"log": b"gr\xc3\xbcn\xff", b"k": {b"x": [b"y"]}, 5: None}, AT,
                     {"timestamp": TIME, "message": "grün\\xff", "k.x": ["y"]}, id="binary"),
        pytest.param({}, AT, {"timestamp": TIME}, id="empty"),
    ],
)  # fmt: skip
def test_a_record(record: Any, at: Any, expected: dict[str, Any]) -> None:
    (event,) = events(pack(["t", entries(record, at=at)]))
    assert event == {"service": "t"} | expected


def test_what_cannot_be_read_is_kept_beside_the_others() -> None:
    good, long = entries(RECORD), entries({"log": "x" * MOST_ENTRY})
    odd = [pack(5), pack([1]), pack([AT, "text"]), pack(["no time", {}]), pack([AT, {"a": 2**63}])]
    deep = b"\x92\x01\x81\xa1a" + b"\x91" * 400 + b"\x01"
    found = events(pack(["t", good + b"".join(odd) + deep + long + good + good[:-2]]))
    assert [event.get("message") for event in found].count("hello") == 2
    assert len(found) == 10
    assert "in the middle" in found[-1]["parse_error"]
    assert sum("parse_error" in event for event in found) >= 6


def test_a_compression_bomb_is_cut() -> None:
    bomb = gzip.compress(entries({"log": "x" * 1000}) * 100_000)
    message = read_message(pack(["t", bomb, {"compressed": "gzip"}]))
    assert message is not None
    assert sum(map(len, lines(message, 1_000_000))) < 2_000_000
    (event,) = events(pack(["t", b"no gzip", {"compressed": "gzip"}]))
    assert "gzip" in event["parse_error"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_nonsense_is_refused_or_kept(data: bytes) -> None:
    framing = Framing(10_000)
    try:
        for raw in framing.feed(data):
            events(raw)
    except MalformedError:
        pass
    try:
        events(pack(["t", data]))
    except MalformedError:
        raise AssertionError("entries never end the connection") from None


def test_a_message_that_is_too_long_is_refused_before_it_is_there() -> None:
    framing = Framing(100_000)
    assert framing.feed(b"\x93\xa1t\xc6\xff\xff\xff\xff" + b"x" * 90_000) == []
    with pytest.raises(MalformedError, match="max_frame"):
        framing.feed(b"x" * 10_000)


def plain(_: Path) -> Scenario:
    port = free_port()

    async def feed() -> None:
        for part in range(5):
            await send(port, pack(["t", entries(*({"log": f"{part} {n}"} for n in range(20)))]))

    return Scenario({"tcp": at(port)}, feed, 100)


def acknowledged(_: Path) -> Scenario:
    """A client that sends each chunk until it is acknowledged, as Fluent Bit and Fluentd do."""
    port, stored = free_port(), [0]

    async def feed() -> None:
        for part in range(5):
            body = entries(*({"log": f"{part} {n}"} for n in range(20)))
            while not await offered(port, pack(["t", body, {"chunk": f"chunk-{part}"}]), f"chunk-{part}"):
                await anyio.sleep(0.01)
            stored[0] += 20

    return Scenario({"tcp": at(port)}, feed, 100, lambda: stored[0])


async def offered(port: int, message: bytes, chunk: str) -> bool:
    async with await connected(port) as stream:
        try:
            await stream.send(message)
            return bool(msgpack.unpackb(await stream.receive()) == {"ack": chunk})
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return False


test_contract = source_contract(FluentForward, plain)
test_contract_of_chunks = source_contract(FluentForward, acknowledged)


def source(**given: Any) -> FluentForward:
    return FluentForward(FluentForwardConfig(**given))


async def test_a_chunk_has_a_key_and_many_are_acknowledged_over_one_connection() -> None:
    port, keys = free_port(), []

    class Keyed(MemoryOutlet):
        async def send(self, *given: Any, key: str | None = None, **named: Any) -> Any:
            keys.append(key)
            return await super().send(*given, key=key, **named)

    async with listening(source(tcp=at(port)), Keyed(MemoryStore())), await connected(port) as stream:
        unpacker = msgpack.Unpacker()
        for n in range(100):
            await stream.send(pack(["t", entries({"log": "x"}), {"chunk": f"c{n}"}]))
        acks: set[str] = set()
        with anyio.fail_after(10):
            while len(acks) < 100:
                unpacker.feed(await stream.receive())
                acks |= {answer["ack"] for answer in unpacker}
    assert acks == {f"c{n}" for n in range(100)}
    assert keys == [f"fluent_forward/c{n}" for n in range(100)]


@pytest.mark.parametrize("garbage", [b"\xc1", b"GET / HTTP/1.1\r\n\r\n", pack({"a": 1}), pack([1, 2])])
async def test_a_client_of_another_protocol_is_let_go(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with listening(source(tcp=at(port))) as store:
        async with await connected(port) as stream:
            await stream.send(garbage)
            with anyio.fail_after(5), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()
        await send(port, pack(["t", entries(RECORD)]))
        await messages(store, 1)
    assert "was closed: it sends what is no" in caplog.text


async def shake(stream: ByteStream, key: str) -> bool:
    """The client's side of the handshake; whether both know the key."""
    word, options = msgpack.unpackb(await stream.receive())
    assert word == "HELO"
    salt, name, nonce = b"salt", "client", options["nonce"]
    digest = hashlib.sha512(salt + name.encode() + nonce + key.encode()).hexdigest()
    await stream.send(pack(["PING", name, salt, digest, "", ""]))
    word, right, reason, host, proof = msgpack.unpackb(await stream.receive())
    assert word == "PONG"
    assert bool(reason) != right
    return bool(right and proof == hashlib.sha512(salt + host.encode() + nonce + key.encode()).hexdigest())


async def test_shared_key_over_tls(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    port, pem = free_port(), certificates(data_dir)
    tls = {"listen": at(port), "cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
    context = ssl.create_default_context(cafile=str(pem["ca"]))

    async def speak(key: str) -> bool:
        plain = await connected(port)
        async with await TLSStream.wrap(
            plain, hostname="127.0.0.1", ssl_context=context, standard_compatible=False
        ) as stream:
            if not await shake(stream, key):
                return False
            await stream.send(pack(["t", entries(RECORD), {"chunk": "c"}]))
            return bool(msgpack.unpackb(await stream.receive()) == {"ack": "c"})

    async with listening(source(tls=tls, shared_key="right")) as store:
        assert not await speak("wrong")
        assert await speak("right")
        async with await connected(port) as plain:
            secure = await TLSStream.wrap(plain, hostname="127.0.0.1", ssl_context=context, standard_compatible=False)
            await secure.send(pack(["t", entries(RECORD)]))  # without a handshake
            await secure.receive()  # HELO
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)), anyio.fail_after(5):
                await secure.receive()
        await messages(store, 1)
    assert "does not know the shared key" in caplog.text
    assert "right" not in repr(source(tls=tls, shared_key="right").config)


@pytest.mark.parametrize("precise", [False, True])
async def test_fluent_logger(precise: bool) -> None:
    port = free_port()
    async with listening(source(tcp=at(port))) as store:
        await (await connected(port)).aclose()

        def talk() -> None:
            sender = FluentSender("c-fluent", host="127.0.0.1", port=port, nanosecond_precision=precise)
            for n in range(100):
                assert sender.emit("web", {"message": f"line {n}", "user": n}), sender.last_error
            sender.close()

        await anyio.to_thread.run_sync(talk)
        found = await messages(store, 100)
    assert [(event["message"], event["user"]) for event in found] == [(f"line {n}", n) for n in range(100)]
    assert {(event["fluent.tag"], event["service"]) for event in found} == {("c-fluent.web", "c-fluent.web")}


def test_an_address_is_needed() -> None:
    with pytest.raises(ValueError, match="needs an address"):
        FluentForwardConfig()
