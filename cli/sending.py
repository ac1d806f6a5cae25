"""Sends the blocks of files to `/api/v1/logs` until each is acknowledged, with a progress bar on standard error."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio

from ..client import AsyncClient, CordwoodError
from ..plugins import in_worker
from .blocks import TEXT, Block, Lines
from .client import command_error, connected
from .exits import InputError

IN_FLIGHT = 3
"""Blocks on their way at once where lines have times of their own; else one, for their order is that of arrival."""


def parameters(
    parser: str | None,
    service: str | None,
    timestamp_from: str | None,
    pattern: str | None,
    settings: Sequence[str],
    timezone: str | None,
) -> dict[str, str]:
    """The query parameters of the request.

    :raises InputError: they do not go together
    """
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise InputError(f"--set {setting}: write --set KEY=VALUE")
        found[f"parser.{name}"] = value
    if pattern is not None:
        found["parser.pattern"] = pattern
    if found and parser is None:
        raise InputError("--pattern and --set are settings of a parser: name it with --parser")
    if parser:
        found["parser"] = parser
    more = {"service": service, "timezone": timezone, "timestamp_from": timestamp_from}
    return found | {name: value for name, value in more.items() if value}


class Sending:
    """One `cordwood ingest`: `accepted` counts what the server acknowledged, `lines` what was read."""

    def __init__(self, files: Sequence[str], given: dict[str, str], retry_for: float) -> None:
        self._files, self._given, self._retry_for = files, given, retry_for
        self._run = uuid.uuid4().hex
        self._client: AsyncClient
        self.accepted = self.lines = 0

    async def run(self, data_dir: Path | None) -> None:
        """Send everything.

        :raises UnreachableError: the server cannot be reached, or was busy for too long
        :raises InputError: a file cannot be read, or the server refuses its lines
        """
        with _Progress(self._files) as progress:
            to = connected(data_dir, role="ingest", retry_for=self._retry_for, waiting=progress.waiting)
            async with to as self._client:
                try:
                    for number, name in enumerate(self._files):
                        await self._file(number, name, progress)
                except* (InputError, CordwoodError) as group:
                    first: BaseException = group
                    while isinstance(first, BaseExceptionGroup):
                        first = first.exceptions[0]
                    why = command_error(first) if isinstance(first, CordwoodError) else first
                    raise type(why)(f"{why}; {self.accepted} events were accepted before") from None

    async def _file(self, number: int, name: str, progress: _Progress) -> None:
        with await in_worker(Lines, name) as lines:
            media_type = TEXT if "parser" in self._given else lines.media_type
            at_once = 1 if media_type == TEXT and "parser" not in self._given else IN_FLIGHT
            room = anyio.Semaphore(at_once)
            blocks = lines.blocks()
            async with anyio.create_task_group() as tasks:
                index = 0
                while block := await in_worker(next, blocks, None):
                    await room.acquire()
                    tasks.start_soon(self._block, block, f"{self._run}-{number}-{index}", media_type, room, progress)
                    index += 1

    async def _block(self, block: Block, key: str, media_type: str, room: anyio.Semaphore, progress: _Progress) -> None:
        try:
            accepted = await self._client.send(block.body, media_type, key, self._given)
            self.accepted += accepted
            self.lines += block.lines
            progress.advance(block, self.accepted)
        finally:
            room.release()


class _Progress:
    """A bar on a terminal; nothing where standard error is piped."""

    def __init__(self, files: Sequence[str]) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), DownloadColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            total = sum(_sizes(files)) if "-" not in files else None
            self._task = self._bar.add_task("", total=total)
        self._began = time.monotonic()

    def __enter__(self) -> _Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, block: Block, accepted: int) -> None:
        """A block was acknowledged; `accepted` events are stored so far."""
        if self._bar:
            rate = accepted / max(0.001, time.monotonic() - self._began)
            self._bar.update(self._task, advance=block.read, description=f"{accepted:,} events, {rate:,.0f}/s")

    def waiting(self, why: str) -> None:
        """The server is away or busy."""
        if self._bar:
            self._bar.update(self._task, description=f"waiting for the server: {why}")


def _sizes(files: Sequence[str]) -> Iterator[int]:
    for name in files:
        yield Path(name).stat().st_size
