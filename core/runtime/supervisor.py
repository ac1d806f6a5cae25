"""Keeps sources running: each in a task of its own, started again after a failure, stopped and exchanged by name."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ...plugins import FatalError, RetryableError, Source
from ...plugins.ndjson import nested
from .outlet import StoreOutlet

START_SECONDS = 1.0
"""How long a source that does not say that it has started may take to fail, and be told from one that runs."""
_FIRST_DELAY, _LAST_DELAY = 0.5, 60.0  # seconds between restarts of a source that fails
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class RunningSource:
    """A source, where it sends, and how it fares: `running`, `waiting` (to be started again), `failed` or `done`."""

    name: str
    type: str
    source: Source[Any]
    outlet: StoreOutlet
    enter: Callable[[StoreOutlet], Awaitable[None]]
    """Makes sure that the outlet's project is there, before anything is taken."""
    state: str = "running"
    error: str = ""
    restarts: int = 0
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _ended: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> None:
        """Run until cancelled or done; a failure costs a pause, a fatal one ends it."""
        try:
            with self._scope:
                if not await self._tried(lambda: self.enter(self.outlet)):
                    return
                self.error = ""
                async with anyio.create_task_group() as holding:
                    if self.outlet.gathering is not None:
                        holding.start_soon(self.outlet.gathering.watch, self.outlet)
                    if self.outlet.spool is None:
                        await self._run()
                    else:
                        async with self.outlet.spool.running():
                            await self._run()
        finally:
            self.outlet.begun.set()
            self._ended.set()

    async def _run(self) -> None:
        async def once() -> None:
            with nested(self.outlet.admission.limits.depth):
                await self.source.run(self.outlet)

        if await self._tried(once):
            self.state, self.error = "done", ""

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it, again after each failure; false: no other try would help."""
        delay = _FIRST_DELAY
        while True:
            try:
                self.state = "running"
                await work()
                return True
            except FatalError as why:
                self.state, self.error = "failed", str(why)
                _log.error("source %s stopped: %s", self.name, why)
                return False
            except RetryableError as why:
                wait = why.after or delay
                self._failed(str(why), wait)
            except Exception as why:  # a plugin's defect must not take the others down
                wait = delay
                _log.exception("source %s failed", self.name)
                self._failed(f"{type(why).__name__}: {why}", wait)
            await anyio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            delay = min(delay * 2, _LAST_DELAY)

    def _failed(self, why: str, wait: float) -> None:
        self.state, self.error = "waiting", why
        self.restarts += 1
        self.outlet.begun.set()
        _log.warning("source %s starts again in %.1f s: %s", self.name, wait, why)

    async def stop(self) -> None:
        """Cancel the source and wait until it has ended."""
        self._scope.cancel()
        await self._ended.wait()


class Supervisor:
    """The running sources by name."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self.sources: dict[str, RunningSource] = {}

    def start(self, running: RunningSource) -> None:
        """Run a source under its name, which must be free."""
        assert running.name not in self.sources
        self.sources[running.name] = running
        self._tasks.start_soon(running.run)

    async def start_all(self, made: Iterable[RunningSource]) -> list[RunningSource]:
        """Run sources and wait until each of them listens or reads; those that failed.

        A source that does not say so is given `START_SECONDS`.
        """
        started = list(made)
        for running in started:
            self.start(running)
        with anyio.move_on_after(START_SECONDS):
            for running in started:
                await running.outlet.begun.wait()
        return [running for running in started if running.state in ("waiting", "failed")]

    async def stop(self, names: Mapping[str, object] | set[str]) -> None:
        """Stop the named sources, all at once, and wait for them.

        They stay in `sources` until the last has ended, so that a request meanwhile finds its source.
        """
        await self._stop(names)
        for name in names:
            del self.sources[name]

    async def end(self) -> None:
        """Stop all sources for good. They stay in `sources`: a request that finds one is told to try again."""
        await self._stop(self.sources)

    async def _stop(self, names: Mapping[str, object] | set[str]) -> None:
        async with anyio.create_task_group() as stopping:
            for name in names:
                stopping.start_soon(self.sources[name].stop)
