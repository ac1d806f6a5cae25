"""Lumberjack's version 2: streams as PROTOCOL.md and go-lumber have them."""

from __future__ import annotations

import json
import ssl
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.beats import Beats, BeatsConfig, read_documents, server
from cordwood.sources.beats.frames import EVENT, WINDOW, Frame, Framing, MalformedError, inflated
from hypothesis import given, settings
from hypothesis import strategies as st

from .listening import at, certificates, connected, free_port, listening, messages, send

pytestmark = pytest.mark.anyio
DOCUMENT = {
    "@timestamp": "2026-01-31T12:00:00.123Z",
    "@metadata": {"beat": "filebeat", "type": "_doc", "version": "9.2.0"},
    "message": "GET /cart 500",
    "log": {"offset": 7, "file": {"path": "/var/log/app.log"}, "level": "error"},
    "host": {"name": "web-1"},
    "service": {"name": "shop"},
    "trace": {"id": "0af7"},
    "fields": {"env": "prod"},
    "tags": ["a"],
}


def window(count: int) -> bytes:
    return b"2W" + struct.pack(">I", count)


def event(sequence: int, document: Any) -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return b"2J" + struct.pack(">II", sequence, len(body)) + body


def compressed(*frames: bytes) -> bytes:
    body = zlib.compress(b"".join(frames))
    return b"2C" + struct.pack(">I", len(body)) + body


def batch(documents: Sequence[Any], *, compress: bool = False) -> bytes:
    """A window as Filebeat sends it."""
    frames = [event(n, document) for n, document in enumerate(documents, 1)]
    return window(len(documents)) + (compressed(*frames) if compress else b"".join(frames))


def test_a_document_of_filebeat() -> None:
    (found,) = read_documents([[json.dumps(DOCUMENT).encode()]]).events()
    found.pop("observed_timestamp")
    assert found == {
        "timestamp": "2026-01-31T12:00:00.123000000Z", "severity": "ERROR", "severity_text": "error", "service": "shop",
        "host": "web-1", "message": "GET /cart 500", "trace_id": "0af7", "log.offset": 7, "tags": ["a"],
        "log.file.path": "/var/log/app.log", "fields.env": "prod", "@metadata.beat": "filebeat",
        "@metadata.type": "_doc", "@metadata.version": "9.2.0",
    }  # fmt: skip


def test_what_is_no_object_is_kept_beside_the_others() -> None:
    found = read_documents([[b'{"message": "a"}', b"{\n}", b'{"message":\n "b"}'], [b"no json"]]).events()
    assert [event.get("message") for event in found] == ["a", None, "b", "no json"]
    assert "parse_error" in found[3]


def test_frames_follow_each_other_in_any_pieces() -> None:
    stream = batch([{"n": 1}, {"n": 2}]) + batch([{"n": 3}], compress=True) + window(0)
    for step in (1, 7, 100_000):
        framing = Framing(1000)
        frames: list[Frame] = []
        for i in range(0, len(stream), step):
            for frame in framing.feed(stream[i : i + step]):
                frames += [frame] if frame.kind in (WINDOW, EVENT) else inflated(frame.body, 1000)
        assert [(frame.kind, frame.number) for frame in frames] == [
            (WINDOW, 2), (EVENT, 1), (EVENT, 2), (WINDOW, 1), (EVENT, 1), (WINDOW, 0),
        ]  # fmt: skip
        assert framing.held == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"no zlib", "cannot be read", id="nonsense"),
        pytest.param(zlib.compress(event(1, b"x" * 10_000_000)), "unpacks to more", id="bomb"),
        pytest.param(zlib.compress(event(1, b"") * 100_001), "more than 100000 frames", id="bomb of frames"),
        pytest.param(zlib.compress(event(1, {"a": 1})[:-1]), "in the middle", id="half a frame"),
        pytest.param(zlib.compress(event(1, {"a": 1}))[:-5], "in the middle", id="half of it"),
        pytest.param(zlib.compress(compressed(event(1, {}))), "a compressed frame holds", id="nested"),
    ],
)
def test_a_compressed_frame_that_is_none(body: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        inflated(body, 2_000_000)


def test_a_frame_that_is_too_long_is_refused_before_it_is_there() -> None:
    with pytest.raises(MalformedError, match="max_frame"):
        list(Framing(100_000).feed(b"2J\0\0\0\1\xff\xff\xff\xff"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_nonsense_is_refused(data: bytes, begins: bool) -> None:
    try:
        for frame in Framing(50).feed(b"2J" + data if begins else data):
            inflated(frame.body, 50)
    except MalformedError:
        pass


class Client:
    """The client's side, as go-lumber has it: an answer of 0 means that the server is still at work."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream, self.rest = stream, b""
        self.zeros = 0

    async def acknowledged(self, count: int) -> None:
        """Wait until so many events of the window are acknowledged."""
        sequence = 0
        while sequence < count:
            while len(self.rest) < 6:
                self.rest += await self.stream.receive()
            assert self.rest[:2] == b"2A"
            (sequence,) = struct.unpack(">I", self.rest[2:6])
            self.rest = self.rest[6:]
            self.zeros += not sequence


def plain(_: Path) -> Scenario:
    """Clients that send a window again until it is acknowledged."""
    port, stored = free_port(), [0]

    async def feed() -> None:
        for part in range(5):
            documents = [{"message": f"{part} {n}"} for n in range(20)]
            while True:
                async with await connected(port) as stream:
                    try:
                        await stream.send(batch(documents, compress=part % 2 == 0))
                        await Client(stream).acknowledged(20)
                        break
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        await anyio.sleep(0.01)
            stored[0] += 20

    return Scenario({"tcp": at(port)}, feed, 100, lambda: stored[0])


test_contract = source_contract(Beats, plain)


def source(**given_: Any) -> Beats:
    return Beats(BeatsConfig(**given_))


async def test_windows_that_do_not_wait_for_each_other() -> None:
    port = free_port()
    async with listening(source(tcp=at(port))) as store, await connected(port) as stream:
        for part in range(10):
            await stream.send(batch([{"message": f"{part}-{n}"} for n in range(50)]))
        client = Client(stream)
        with anyio.fail_after(10):
            for _ in range(10):
                await client.acknowledged(50)
        assert store.lines == [f"{part}-{n}" for part in range(10) for n in range(50)]


async def test_a_client_hears_that_we_are_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_STILL_S", 0.05)
    slow = anyio.Event()

    class Slow(MemoryOutlet):
        async def send(self, *given_: Any, **named: Any) -> Any:
            await slow.wait()
            return await super().send(*given_, **named)

    port = free_port()
    async with listening(source(tcp=at(port)), Slow(MemoryStore())), await connected(port) as stream:
        await stream.send(batch([DOCUMENT]))
        client = Client(stream)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.acknowledged, 1)
                while client.zeros < 3:
                    await anyio.sleep(0.01)
                slow.set()


async def test_a_large_window_is_acknowledged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PART", 1000)
    port = free_port()
    async with listening(source(tcp=at(port))) as store, await connected(port) as stream:
        first = [event(n, {"message": "x" * 100}) for n in range(1, 21)]
        await stream.send(window(40) + b"".join(first))
        with anyio.fail_after(10):
            client = Client(stream)
            await client.acknowledged(5)
            await stream.send(b"".join(event(n, {"message": "y"}) for n in range(21, 41)))
            await client.acknowledged(40)
        assert len(store.lines) == 40


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "no frame of Lumberjack", id="http"),
        pytest.param(b"1W\0\0\0\1", "this is version 1", id="version 1"),
        pytest.param(event(1, {}), "outside of a window", id="no window"),
        pytest.param(window(2) + event(1, {}) + window(1), "1 events of the one before", id="a window in a window"),
    ],
)
async def test_a_client_of_another_protocol_is_let_go(
    garbage: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with listening(source(tcp=at(port))) as store:
        async with await connected(port) as stream:
            await stream.send(batch([{"message": "before"}]) + garbage)
            client = Client(stream)
            with anyio.fail_after(10):
                await client.acknowledged(1)  # what came before is stored, and said to be
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await client.acknowledged(1)
        await send(port, batch([{"message": "x"}]))
        await messages(store, 2)
    assert words in caplog.text


async def test_a_window_that_does_not_end_is_not_stored() -> None:
    port = free_port()
    async with listening(source(tcp=at(port), unfinished="200ms")) as store:
        async with await connected(port) as stream:
            await stream.send(window(2) + event(1, DOCUMENT))
            with anyio.fail_after(10), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()
        assert store.lines == []


async def test_tls_with_client_certificates(data_dir: Path) -> None:
    port, pem = free_port(), certificates(data_dir)
    tls = {"listen": at(port), "cert_file": pem["server"], "key_file": pem["server_key"], "client_ca_file": pem["ca"]}
    context = ssl.create_default_context(cafile=str(pem["ca"]))
    context.load_cert_chain(pem["client"], pem["client_key"])
    async with listening(source(tls=tls)) as store, await connected(port) as raw:
        stream = await TLSStream.wrap(raw, hostname="127.0.0.1", ssl_context=context, standard_compatible=False)
        await stream.send(batch([DOCUMENT], compress=True))
        with anyio.fail_after(10):
            await Client(stream).acknowledged(1)
        await messages(store, 1)


def test_an_address_is_needed() -> None:
    with pytest.raises(ValueError, match="needs an address"):
        BeatsConfig()
