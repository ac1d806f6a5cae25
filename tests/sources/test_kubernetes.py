"""Logs of pods, as containerd and CRI-O write them, and the fields that their paths say."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.file import reader, track
from cordwood.sources.kubernetes import FOREIGN, UNFINISHED, Kubernetes, KubernetesConfig

from .listening import listening, messages, until

pytestmark = pytest.mark.anyio
POD = "shop_cart-7d4b9c6f5d-x2x9k_0af76519-16cd-43dd-8448-eb211c80319c"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "GRACE_S", 0.15)
    monkeypatch.setattr(track, "HOLD_S", 0.15)


def line(text: str, n: int = 0, *, stream: str = "stdout", tag: str = "F") -> str:
    return f"2026-01-31T12:00:00.{n:09d}Z {stream} {tag} {text}\n"


def log_of(folder: Path, container: str = "web", restart: int = 0) -> Path:
    made = folder / POD / container / f"{restart}.log"
    made.parent.mkdir(parents=True, exist_ok=True)
    return made


def source(folder: Path, **given: Any) -> Kubernetes:
    settings = {"include": (f"{folder}/*/*/*.log*",), "host": "node-1", "poll": "5ms", "partial_after": "100ms"}
    return Kubernetes(KubernetesConfig(**(settings | given)))


def pods(folder: Path) -> Scenario:
    log_of(folder).write_text("".join(line(str(n), n) for n in range(100)))
    return Scenario({"include": [f"{folder}/*/*/*.log*"]}, anyio.lowlevel.checkpoint, 100)


test_contract = source_contract(Kubernetes, pods)


async def test_lines_and_their_fields(tmp_path: Path) -> None:
    log = log_of(tmp_path, restart=3)
    log.write_text(line("card declined", 5) + line("", 6) + line("out of paper", 7, stream="stderr", tag="F:x"))
    async with listening(source(tmp_path)) as store:
        found = await messages(store, 2)
    assert [event["message"] for event in found] == ["card declined", "out of paper"]
    assert [event["timestamp"][19:] for event in found] == [".000000005Z", ".000000007Z"]
    assert [event["log.iostream"] for event in found] == ["stdout", "stderr"]
    shared = {
        "service": "web", "host": "node-1", "k8s.namespace.name": "shop", "k8s.pod.name": "cart-7d4b9c6f5d-x2x9k",
        "k8s.pod.uid": "0af76519-16cd-43dd-8448-eb211c80319c", "k8s.container.name": "web",
        "k8s.container.restart_count": 3, "log.file.path": str(log),
    }  # fmt: skip
    assert all(event.items() >= shared.items() for event in found)


async def test_pieces_of_two_streams_become_lines(tmp_path: Path) -> None:
    log, store = log_of(tmp_path), MemoryStore()
    log.write_text(
        line("a", tag="P") + line("x", stream="stderr", tag="P") + line("b", tag="P") + line("c")
        + line("y", stream="stderr") + line("alone") + line("half", tag="P")
    )  # fmt: skip
    async with listening(source(tmp_path, partial_after="1h"), MemoryOutlet(store)):
        await messages(store, 3)
        with log.open("a") as file:
            file.write(line(" of it"))
        await messages(store, 4)
    assert store.lines == ["abc", "xy", "alone", "half of it"]


async def test_a_piece_whose_end_does_not_come(tmp_path: Path) -> None:
    log_of(tmp_path).write_text(line("half", tag="P"))
    async with listening(source(tmp_path)) as store:
        (event,) = await messages(store, 1)
    assert (event["message"], event["parse_error"]) == ("half", UNFINISHED)


async def test_a_line_of_megabytes_is_cut_between_its_pieces(tmp_path: Path) -> None:
    piece = "x" * 16_000
    log_of(tmp_path).write_text("".join(line(piece, tag="P") for _ in range(200)) + line("end") + line("after"))
    async with listening(source(tmp_path)) as store:
        await until(lambda: "after" in store.lines)
    assert "".join(store.lines) == piece * 200 + "end" + "after"
    assert len(store.lines) < 8


async def test_what_is_no_such_line_is_kept(tmp_path: Path) -> None:
    log_of(tmp_path).write_text("panic: no format\n" + line("fine"))
    async with listening(source(tmp_path)) as store:
        found = await messages(store, 2)
    assert [(event["message"], event.get("parse_error")) for event in found] == [
        ("panic: no format", FOREIGN),
        ("fine", None),
    ]


async def test_each_line_once_over_rotations_and_restarts(tmp_path: Path) -> None:
    """The kubelet renames `0.log`, and compresses what it renamed the time before."""
    log, store, chance = log_of(tmp_path), MemoryStore(), random.Random(3)
    written: list[str] = []

    def all_there() -> bool:
        return len(store.lines) >= len(written)

    for part in range(4):
        async with listening(source(tmp_path), MemoryOutlet(store, trouble=0.1, chance=chance)):
            for _ in range(2):
                with log.open("a") as file:
                    for n in range(len(written), len(written) + 100):
                        file.write(line(f"{n} be", n, tag="P") + line("gun", n))
                        written.append(f"{n} begun")
                if chance.random() < 0.5:
                    await until(all_there)
            await until(all_there)
        log.rename(log.with_name(f"0.log.20260131-12000{part}"))
    assert sorted(store.lines) == sorted(written)
