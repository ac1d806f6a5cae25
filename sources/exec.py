"""The output of a program: each line an event.

    sources:
      disks: {type: exec, command: [df, --output=target,pcent], every: 5m}
      radio: {type: exec, command: [rtl_433, -F, json]}

The program runs without a shell. It waits while the store has no room.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import anyio
import polars as pl
from pydantic import Field, field_validator

from ..plugins import (
    Batch,
    Duration,
    Need,
    Outlet,
    ProjectConfig,
    Source,
    duration_ns,
    hookimpl,
    in_worker,
    runnable,
    split_lines,
)
from .lots import divided
from .process import Program, run_program
from .storing import store

COMMAND = "exec.command"
_AGAIN_S, _LONGEST_AGAIN_S = 1.0, 60.0  # before a program that should not end is started again
_log = logging.getLogger(__name__)


class ExecConfig(ProjectConfig):
    """Settings of a source that runs a program."""

    command: Annotated[list[str], Field(min_length=1, max_length=1000)]
    """The program and its arguments, each by itself; for a pipe or a wildcard write `[sh, -c, "…"]`."""
    every: Duration | None = None
    """How often it runs; not set: it runs all the time, and is started again when it ends."""
    timeout: Duration = "1m"
    """How long a run may take where `every` is set, also while the store has no room; then it is ended."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables beside those that Cordwood was started with; `CORDWOOD_…` are not handed on."""
    folder: Path | None = None
    """Where it runs."""
    host: str = ""
    """The `host` of its events; default: this system's name."""
    max_line: int = Field(1_048_576, ge=1024, le=16_777_216)
    """Characters of a line; a longer one becomes several events."""

    @field_validator("command")
    @classmethod
    def _can_be_run(cls, command: list[str]) -> list[str]:
        if not command[0] or any("\0" in word for word in command):
            raise ValueError("the first word is the program, and none has a NUL")
        return command


class Exec(Source[ExecConfig]):
    """Run a program, all the time or at intervals, and take in its standard output, a line an event."""

    def __init__(self, config: ExecConfig) -> None:
        super().__init__(config)
        self._runs = self._failures = self._rejected = 0

    def needs(self) -> Sequence[Need]:
        """Its program and its folder."""
        return [runnable("command", self.config.command[0], self.config.folder)]

    async def run(self, outlet: Outlet) -> None:
        """Run it until cancelled.

        :raises FatalError: there is no such program
        """
        config = self.config
        every = None if config.every is None else duration_ns(config.every) / 1e9
        again = _AGAIN_S
        while True:
            began = anyio.current_time()
            await self._once(outlet, None if every is None else duration_ns(config.timeout) / 1e9)
            took = anyio.current_time() - began
            if every is not None:
                await anyio.sleep(max(0.0, every - took))
                continue
            again = _AGAIN_S if took > _LONGEST_AGAIN_S else min(2 * again, _LONGEST_AGAIN_S)
            await anyio.sleep(again)

    async def _once(self, outlet: Outlet, within: float | None) -> None:
        """One run, with its end in the log where it is not the expected one."""
        config = self.config
        self._runs += 1
        ended: list[str] = []

        async def use(program: Program) -> None:
            outlet.started()
            async for output in program.lots():
                self._rejected += await store(outlet, await in_worker(self._read, output))
            status = await program.ended()
            if program.overdue:
                ended.append(f"was ended, for it took longer than {config.timeout}")
            elif status or within is None:
                ended.append(f"ended with {status}{f': {program.complaint}' if program.complaint else ''}")

        await run_program(
            config.command, use, environment=config.environment, folder=config.folder, within=within,
            most=config.max_line,
        )  # fmt: skip
        if ended:
            self._failures += 1
            _log.warning("source %s: %s %s", outlet.source, config.command[0], ended[0])

    def _read(self, output: bytes) -> Batch:
        batch = Batch.from_lines(divided(split_lines(output), self.config.max_line))
        frame = batch.with_default(host=self.config.host or socket.gethostname()).frame
        return Batch(frame.with_columns(pl.lit(self.config.command[0]).alias(COMMAND)))

    @property
    def counts(self) -> Mapping[str, int]:
        """How often it ran and did not end as it should, and what was lost."""
        return {"runs": self._runs, "failed_runs": self._failures, "rejected_events": self._rejected}


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source that runs a program."""
    return [Exec]
