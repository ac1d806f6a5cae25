"""Whatever is done to log files, and whenever everything crashes: every line arrives, and none twice.

The model is the list of lines ever written. Files are written, rotated in every way, compressed and deleted between
crashes of the source and failures of the store. Rotated files stay within the glob, as the documentation advises.
"""

import gzip
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.file import File, FileConfig, follow, reader, track
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STEPS = ("append", "append half", "rename", "copy", "pack", "crash", "look", "look", "trouble", "calm")


class Machine:
    """Log files of one program, and a source that follows them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.log = folder / "app.log"
        self.log.touch()
        self.written: list[str] = []
        self.half = ""
        self.rotations = 0
        self.store = MemoryStore()
        self.trouble = 0.0

    def append(self, *, whole: bool) -> None:
        lines = [
            f"{len(self.written) + i} {'x' * self.chance.randint(0, 80)}" for i in range(self.chance.randint(1, 40))
        ]
        if self.half:
            lines[0] = self.half
        self.written += lines
        content = "".join(f"{line}\n" for line in lines)
        if self.half:
            content = content[self._cut :]
        self.half = ""
        if not whole and len(lines) > 1:
            self._cut = self.chance.randint(1, len(lines[-1]))
            content = content[: len(content) - len(lines[-1]) - 1 + self._cut]
            self.half = self.written.pop()
        with self.log.open("a") as file:
            file.write(content)

    def end_line(self) -> None:
        """A program ends its line before its file is rotated."""
        if self.half:
            self.append(whole=True)

    def shift(self) -> Path:
        """Give every rotated file the next number; the name that is free now."""
        self.finish_packing()
        for number in range(self.rotations, 0, -1):
            for suffix in ("", ".gz"):
                old = self.folder / f"app.log.{number}{suffix}"
                if old.exists():
                    old.rename(self.folder / f"app.log.{number + 1}{suffix}")
        self.rotations += 1
        return self.folder / "app.log.1"

    def rename(self) -> None:
        self.end_line()
        self.log.rename(self.shift())
        self.log.touch()

    def copy(self) -> None:
        self.end_line()
        shutil.copy(self.log, self.shift())
        os.truncate(self.log, 0)

    def pack(self) -> None:
        for number in range(1, self.rotations + 1):
            path = self.folder / f"app.log.{number}"
            if path.exists():
                packed = path.with_name(path.name + ".gz")
                content = gzip.compress(path.read_bytes())
                if not packed.exists() and self.chance.random() < 0.5:
                    packed.write_bytes(content[: self.chance.randint(0, len(content))])  # and the next step finishes it
                    return
                packed.write_bytes(content)
                path.unlink()
                return

    def finish_packing(self) -> None:
        """A program that compresses is done before the next rotation."""
        for packed in list(self.folder.glob("*.gz")):
            if packed.with_suffix("").exists():
                packed.write_bytes(gzip.compress(packed.with_suffix("").read_bytes()))
                packed.with_suffix("").unlink()

    async def run(self, condition: Callable[[], bool], seconds: float) -> None:
        """The source runs until the condition holds, or for this long, and is killed."""
        outlet = MemoryOutlet(self.store, trouble=self.trouble, chance=self.chance)
        config = FileConfig(
            include=(f"{self.folder}/app.log*",), poll="1ms", host="box", partial_after="1h", max_open=8
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(File(config).run, outlet)
            with anyio.move_on_after(seconds):
                while not condition():
                    await anyio.sleep(0.002)
            tasks.cancel_scope.cancel()

    async def live(self, steps: list[str]) -> None:
        for step in steps:
            match step:
                case "append" | "append half":
                    self.append(whole=step == "append")
                case "rename" | "copy" | "pack":
                    getattr(self, step)()
                case "look":
                    await self.run(lambda: False, self.chance.choice([0.005, 0.02, 0.05]))
                case "crash":
                    enough = len(self.store.batches) + self.chance.randint(1, 3)
                    await self.run(lambda enough=enough: len(self.store.batches) >= enough, 0.03)  # type: ignore[misc]
                case "trouble" | "calm":
                    self.trouble = 0.4 if step == "trouble" else 0.0
        self.end_line()
        self.finish_packing()
        self.trouble = 0.0
        await self.run(lambda: len(self.store.lines) >= len(self.written), 10)
        await self.run(lambda: False, 0.05)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(STEPS), max_size=30), st.integers(0, 2**32))
def test_every_line_once(steps: list[str], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "GRACE_S", 0.02)
        patch.setattr(track, "HOLD_S", 0.02)
        patch.setattr(follow, "BLOCK", 2_000)
        machine = Machine(Path(folder), seed)
        with ThreadPoolExecutor(1) as thread:  # this thread may have an event loop already: a fixture of the session
            thread.submit(anyio.run, machine.live, steps).result()
        assert sorted(machine.store.lines) == sorted(machine.written)
