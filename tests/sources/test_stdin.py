"""Standard input as a pipe, as a file, and what is piped into a real server."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.stdin import Stdin, StdinConfig

from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


class Piped(Stdin):
    """Standard input that is another descriptor."""

    type = "stdin"


def piped(data: bytes, folder: Path) -> int:
    """A descriptor to read this from; the writer has closed."""
    (folder / "input").write_bytes(data)
    with subprocess.Popen(["cat", folder / "input"], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        return os.dup(writer.stdout.fileno())


def lines(folder: Path) -> Scenario:
    Piped.descriptor = piped(b"".join(b"line %d\n" % n for n in range(100)), folder)
    return Scenario({}, anyio.lowlevel.checkpoint, 100)


test_contract = source_contract(Piped, lines)


async def test_lines_and_the_end(tmp_path: Path) -> None:
    class Small(Stdin):
        descriptor = piped("eins\r\n\nzwei ä \udcff".encode("utf-8", "surrogateescape"), tmp_path)

    store = MemoryStore()
    with anyio.fail_after(10):
        await Small(StdinConfig(host="box")).run(MemoryOutlet(store))  # it is done at the end
    assert store.lines == ["eins", "zwei ä \\xff"]
    assert {event["host"] for batch in store.batches for event in batch.events()} == {"box"}


async def test_a_file_and_a_line_without_end(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"".join(b"%d\n" % n for n in range(200_000)) + b"x" * 5000)

    class Big(Stdin):
        descriptor = os.open(tmp_path / "big", os.O_RDONLY)

    store = MemoryStore()
    with anyio.fail_after(30):
        await Big(StdinConfig(max_line=1024)).run(MemoryOutlet(store))
    assert store.lines[:200_000] == [str(n) for n in range(200_000)]
    assert [len(line) for line in store.lines[200_000:]] == [1024, 1024, 1024, 1024, 904]


async def test_what_comes_while_it_runs() -> None:
    out, into = os.pipe()

    class Open(Stdin):
        descriptor = out

    async with listening(Open(StdinConfig())) as store:
        os.write(into, b"one\ntw")
        await messages(store, 1)
        os.write(into, b"o\n")
        await messages(store, 2)
        assert store.lines == ["one", "two"]
    os.close(into)
    os.close(out)


async def test_a_writer_waits_while_the_store_has_no_room() -> None:
    out, into = os.pipe()
    room, written = anyio.Event(), [0]

    class Open(Stdin):
        descriptor = out

    class Full(MemoryOutlet):
        async def send(self, *given: Any, **named: Any) -> Any:
            await room.wait()
            return await super().send(*given, **named)

    def write() -> None:
        for _ in range(200):
            written[0] += os.write(into, b"x" * 99_999 + b"\n")
        os.close(into)

    writer = threading.Thread(target=write)
    store = MemoryStore()
    async with listening(Open(StdinConfig()), Full(store)):
        writer.start()
        seen = [-1, 0]
        while seen[-1] != seen[-2] or not seen[-1]:
            await anyio.sleep(0.3)
            seen.append(written[0])
        assert seen[-1] < 15_000_000
        room.set()
        await until(lambda: len(store.lines) == 200, 30)
    writer.join()
    assert len(store.lines) == 200
    os.close(out)


async def test_no_standard_input() -> None:
    class Closed(Stdin):
        descriptor = 999_999

    with pytest.raises(RetryableError, match="standard input cannot be read: Bad file descriptor"):
        await Closed(StdinConfig()).run(MemoryOutlet(MemoryStore()))


def test_piped_into_a_server(make_server: Any) -> None:
    server = make_server("version: 1\nsources: {app: {type: stdin}}\n")
    with subprocess.Popen(["seq", "10000"], stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        server.start(stdin=app.stdout.fileno())
    query = "source:app | stats count() as total, distinct_exact(message) as different"
    give_up = time.monotonic() + 20
    while (row := server.query(query)[0])["total"] < 10_000 and time.monotonic() < give_up:
        time.sleep(0.05)
    assert row == {"total": 10_000, "different": 10_000}
