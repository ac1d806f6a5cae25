"""Containers' logs, from a server that speaks the Engine's API on a Unix socket, and from a log made at random."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import docker
from cordwood.sources.docker import Docker, DockerConfig, engine, follow
from cordwood.sources.docker.frames import MalformedError, Place, Records, Skipping, read_lines
from hypothesis import given
from hypothesis import strategies as st

from .docker_engine import START_NS, FakeEngine
from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "_AGAIN_S", 0.05)


def containers(folder: Path) -> Scenario:
    engine = FakeEngine()

    async def feed() -> None:
        async with engine.serving(folder / "docker.sock"):
            for name in ("a", "b"):
                engine.add(name).say(*(f"{name} {n}" for n in range(50)))
            await anyio.sleep_forever()

    return Scenario({"url": f"unix://{folder}/docker.sock"}, feed, 100)


test_contract = source_contract(Docker, containers)


@asynccontextmanager
async def following(
    engine: FakeEngine, folder: Path, store: MemoryStore, *, trouble: float = 0.0, **settings: Any
) -> AsyncIterator[Docker]:
    """A running source, and an Engine to ask; leaving ends the source."""
    source = Docker(DockerConfig(url=f"unix://{folder}/docker.sock", host="box", **settings))
    outlet = MemoryOutlet(store, trouble=trouble, chance=random.Random(2))

    class Supervised:
        async def run(self, given: Any) -> None:
            while True:
                try:
                    await source.run(given)
                except RetryableError:
                    await anyio.sleep(0.01)

    async with engine.serving(folder / "docker.sock"), listening(Supervised(), outlet):  # type: ignore[arg-type]
        yield source


async def test_lines_and_their_fields(data_dir: Path) -> None:
    engine, store = FakeEngine(), MemoryStore()
    labels = {"com.docker.compose.service": "shop", "tier": "web"}
    made = engine.add("shop-1", labels=labels)
    made.say("card declined")
    made.say("out of paper", "", stream=2)
    async with following(engine, data_dir, store, labels=("t*",)):
        found = await messages(store, 2)
    assert [event["timestamp"] for event in found] == [
        "2026-01-31T12:00:00.000000000Z",
        "2026-01-31T12:00:00.000001000Z",
    ]
    assert [event["log.iostream"] for event in found] == ["stdout", "stderr"]
    shared = {"host": "box", "service": "shop", "container.id": made.id, "container.name": "shop-1",
              "container.image.name": "shop:1.4", "container.label.tier": "web"}  # fmt: skip
    assert all(event.items() >= shared.items() for event in found)
    assert "container.label.com.docker.compose.service" not in found[0]


@pytest.mark.parametrize("tty", [False, True], ids=["frames", "terminal"])
async def test_a_long_line_is_one_event(data_dir: Path, tty: bool) -> None:
    engine, store = FakeEngine(), MemoryStore()
    made, long = engine.add("app", tty=tty), "x" * 100_000 + "end"
    made.say("before", long, "after")
    async with following(engine, data_dir, store):
        await messages(store, 3)
        assert store.lines == ["before", long, "after"]
        made.say(b"a piece of", stream=1)
        made.say(b" a line\n", stream=1, at=made.records[-1][0])
        if not tty:
            await messages(store, 4)
            assert store.lines[3] == "a piece of a line"


async def test_a_piece_that_does_not_go_on(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "STUCK_S", 0.2)
    engine, store = FakeEngine(), MemoryStore()
    engine.add("app").say(b"half of it")
    async with following(engine, data_dir, store):
        (event,) = await messages(store, 1)
    assert (event["message"], event["parse_error"]) == ("half of it", docker.frames.CUT)


async def test_each_line_once_over_restarts_of_either_side(data_dir: Path) -> None:
    """Records of one nanosecond, out of order, in pieces; an Engine that breaks off; a store in trouble."""
    engine, store, chance = FakeEngine(), MemoryStore(), random.Random(7)
    made = [engine.add(name) for name in ("a", "b", "c")]
    expected: dict[str, list[str]] = {container.name: [] for container in made}
    clock = START_NS

    def write(count: int) -> None:
        nonlocal clock
        for _ in range(count):
            container = chance.choice(made)
            line = f"{container.name} {len(expected[container.name])} " + "x" * chance.choice((0, 10, 40_000))
            expected[container.name].append(line)
            clock += chance.choice((0, 0, 1, 1000))
            container.say(line, stream=chance.choice((1, 2)), at=clock - chance.choice((0, 0, 0, 5)))

    def all_there() -> bool:
        return len(store.lines) >= sum(map(len, expected.values()))

    for _ in range(6):
        engine.breaking = chance.randrange(4)
        write(60)
        async with following(engine, data_dir, store, trouble=0.2):
            write(60)
            await until(all_there)
            write(30)
            await anyio.sleep(chance.random() / 10)
        write(30)
    async with following(engine, data_dir, store):
        await until(all_there)
        await anyio.sleep(0.1)
    for name, lines in expected.items():
        found = [line for line in store.lines if line.startswith(f"{name} ")]
        assert sorted(found) == sorted(lines)


async def test_containers_come_and_go(data_dir: Path) -> None:
    engine, store = FakeEngine(), MemoryStore()
    old = engine.add("old")
    old.say("before its end")
    old.end()
    async with following(engine, data_dir, store, exclude=("cordwood*",)):
        await messages(store, 1)
        engine.add("cordwood-1").say("what we say ourselves")
        engine.add("new").say("a new one")  # told of at once: the list is looked at every ten seconds
        await messages(store, 2)
        old.say("once more")
        engine.start(old)
        await messages(store, 3)
    assert store.lines == ["before its end", "a new one", "once more"]


async def test_from_the_end(data_dir: Path) -> None:
    engine, store = FakeEngine(), MemoryStore()
    made = engine.add("app")
    made.say("of old")
    async with following(engine, data_dir, store, start="end"):
        await until(lambda: store.positions)
        made.say("of now", at=4 * 10**18)
        await messages(store, 1)
    assert store.lines == ["of now"]


async def test_a_log_that_cannot_be_read(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine, store = FakeEngine(), MemoryStore()
    engine.add("quiet", driver="none")
    engine.add("app").say("heard")
    async with following(engine, data_dir, store) as source:
        await messages(store, 1)
        await until(lambda: source.counts["unreadable_containers"])
        await anyio.sleep(0.2)
        assert source.counts["unreadable_containers"] == 1
    assert "the log of container quiet cannot be read" in caplog.text
    assert "does not support reading" in caplog.text


async def test_no_engine(data_dir: Path) -> None:
    with pytest.raises(RetryableError, match=r"no-engine\.sock does not answer: .*No such file"):
        await Docker(DockerConfig(url=f"unix://{data_dir}/no-engine.sock")).run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize(
    "answer",
    [
        b"\0" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}]",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nsoon",
        b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n[{"Id":"\xa6"}]',
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b'[{"x":' * 1500,
    ],
    ids=["no HTTP", "no JSON", "not yet an Engine", "no UTF-8", "too deep"],
)
async def test_nonsense_for_an_answer(data_dir: Path, answer: bytes) -> None:
    async def handle(stream: Any) -> None:
        async with stream:
            await stream.receive()
            await stream.send(answer)

    listener = await anyio.create_unix_listener(data_dir / "docker.sock")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        with pytest.raises(RetryableError, match=r"docker\.sock( does not answer| answers what is not|.*404 soon)"):
            await Docker(DockerConfig(url=f"unix://{data_dir}/docker.sock")).run(MemoryOutlet(MemoryStore()))
        tasks.cancel_scope.cancel()


async def test_events_that_are_none() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"id":"one"}\n"\xa6"\n3\n', b"[" * 5000 + b"\n{", b'"Actor":{"ID":"two"}}\n{"Actor":3}\n{}\n'):
            yield piece

    assert [one async for one in engine._ids(pieces())] == ["one", "two"]


def test_frames_that_are_none() -> None:
    for data in (b"\x07\0\0\0\0\0\0\1x", b"\1\0\1\0\0\0\0\1x", b"\1\0\0\0\xff\0\0\0"):
        with pytest.raises(MalformedError, match="no frame of a log begins with"):
            Records(terminal=False).feed(data)


@pytest.mark.parametrize("url", ["tcp://x:1", "unix://relative", "http://u:p@h", "http://h/path"])
def test_no_daemon(url: str) -> None:
    with pytest.raises(ValueError, match="is no daemon"):
        DockerConfig(url=url)


def test_what_has_no_time_is_kept() -> None:
    records = Records(terminal=True)
    records.feed(b"no time here\r\n\xff\r\n")
    found = read_lines(records.take(), {}).events()
    assert [(event["message"], event["parse_error"]) for event in found] == [
        ("no time here", "docker: it has no time"),
        ("\\xff", "docker: it has no time"),
    ]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.data())
def test_reading_on_from_any_place(times: list[int], data: st.DataObject) -> None:
    """As from the beginning, with an Engine that answers from the first record on, and with one that filters each."""
    whole = pl.Series(times, dtype=pl.Int64)
    place, at = Place(), 0
    while at < len(times):
        size = data.draw(st.integers(1, len(times) - at))
        place, at = place.after(whole.slice(at, size)), at + size
        first = next(i for i, time in enumerate(times) if time >= place.since)
        for left in (list(range(first, len(times))), [i for i, time in enumerate(times) if time >= place.since]):
            skipping, fresh, rest = Skipping(place), [], left
            while rest:
                lot = rest[: data.draw(st.integers(1, len(rest)))]
                fresh += pl.Series(lot).filter(skipping.fresh(whole.gather(lot))).to_list()
                rest = rest[len(lot) :]
            assert fresh == [i for i in left if i >= at]


async def test_a_container_that_was_removed_is_forgotten(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "LOOK_S", 0.02)
    engine, store = FakeEngine(), MemoryStore()
    stays, goes = engine.add("stays"), engine.add("goes")
    for container in (stays, goes):
        container.say("up")
    async with following(engine, data_dir, store, forget_after="1h"):
        await messages(store, 2)
    assert len(store.positions) == 2
    goes.end()
    del engine.containers[goes.id]
    async with following(engine, data_dir, store, forget_after="100ms"):
        await until(lambda: len(store.positions) == 1)
        assert store.positions.keys() == {f"docker/{stays.id}"}
        stays.say("more")
        await messages(store, 3)
