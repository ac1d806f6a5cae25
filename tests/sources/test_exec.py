"""Programs of all tempers: such as end, such as do not, such as have children, such as are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from cordwood.plugins import FatalError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.exec import Exec, ExecConfig

from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


def lines(_: Path) -> Scenario:
    return Scenario({"command": ["sh", "-c", "seq 100; sleep 100"]}, anyio.lowlevel.checkpoint, 100)


test_contract = source_contract(Exec, lines)


def source(*command: str, **given: Any) -> Exec:
    return Exec(ExecConfig(command=list(command), **given))


def shell(text: str, **given: Any) -> Exec:
    return source("sh", "-c", text, **given)


async def test_lines_as_they_come() -> None:
    made = shell("printf 'one\\r\\n\\n'; printf 'zwei ü \\377'", host="box", every="1h")
    async with listening(made) as store:
        found = await messages(store, 2)
    assert [event["message"] for event in found] == ["one", "zwei ü \\xff"]
    assert {(event["host"], event["exec.command"]) for event in found} == {("box", "sh")}


async def test_at_intervals(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(made := shell("echo $(( $(date +%s) > 0 )) $NAME; echo why >&2; exit 3", every="200ms",
                                       environment={"NAME": "ada"})) as store:  # fmt: skip
        await until(lambda: len(store.lines) >= 3)
    assert set(store.lines) == {"1 ada"}
    assert made.counts["failed_runs"] >= 2
    assert "sh ended with 3: why" in caplog.text


async def test_started_again_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(shell("echo again")) as store:
        await until(lambda: len(store.lines) >= 2)
    assert store.lines[:2] == ["again", "again"]
    assert "sh ended with 0" in caplog.text


async def test_one_that_takes_too_long_ends_with_its_children(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    stubborn = f"trap '' TERM; echo begun; sleep 300 & echo $! > {data_dir}/child; wait; sleep 300"
    async with listening(shell(stubborn, every="1h", timeout="300ms")) as store:
        await until(lambda: "took longer" in caplog.text)
    assert store.lines == ["begun"]
    child = int((data_dir / "child").read_text())
    await until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


async def test_it_ends_with_the_source(data_dir: Path) -> None:
    async with listening(shell(f"echo $$ > {data_dir}/pid; echo up; sleep 300")) as store:
        await messages(store, 1)
    assert not psutil.pid_exists(int((data_dir / "pid").read_text()))


async def test_a_flood_and_lines_without_end() -> None:
    text = "import sys\nfor n in range(100_000): print('line', n)\nsys.stdout.write('x' * 5000); sys.stdout.flush()"
    async with listening(source(sys.executable, "-c", text, max_line=1024, every="1h")) as store:
        await until(lambda: sum(map(len, store.batches)) >= 100_005, 30)
    assert store.lines[99_999] == "line 99999"
    assert [len(line) for line in store.lines[100_000:]] == [1024, 1024, 1024, 1024, 904]


async def test_it_waits_while_the_store_has_no_room(data_dir: Path) -> None:
    room = anyio.Event()

    class Full(MemoryOutlet):
        async def send(self, *given: Any, **named: Any) -> Any:
            await room.wait()
            return await super().send(*given, **named)

    note = f"n % 100 or open({str(data_dir / 'n')!r}, 'w').write(str(n))"
    text = f"for n in range(20_000):\n  print('x' * 1000, flush=True)\n  {note}"
    store = MemoryStore()
    async with listening(source(sys.executable, "-c", text, every="1h"), Full(store)):
        await until(lambda: (data_dir / "n").exists())
        seen = [0, 1]
        while seen[-1] != seen[-2]:
            await anyio.sleep(0.3)
            seen.append(int((data_dir / "n").read_text() or 0))
        assert seen[-1] < 15_000
        room.set()
        await until(lambda: sum(map(len, store.batches)) >= 20_000, 30)
    assert len(store.lines) == 20_000


async def test_no_secret_of_ours_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CORDWOOD_SECRET_KEY", "s3cret")
    async with listening(shell("env; echo end", every="1h")) as store:
        await until(lambda: "end" in store.lines)
    assert not [line for line in store.lines if "CORDWOOD" in line]
    assert [line for line in store.lines if line.startswith("PATH=")]


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FatalError, match=r"no-such-program cannot be run: No such file"):
        await source("no-such-program").run(MemoryOutlet(MemoryStore()))
    with pytest.raises(ValueError, match="first word is the program"):
        ExecConfig(command=[""])
