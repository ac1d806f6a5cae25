"""The logs of Docker's containers, by the Engine's API: each line once, over restarts of either side.

    sources:
      containers: {type: docker, exclude: [cordwood*]}

The place in each log is committed together with the lines before it. Podman's socket speaks the same.
"""

from __future__ import annotations

import fnmatch
import logging
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal

import anyio
from anyio.abc import TaskGroup
from pydantic import AfterValidator, Field

from ...plugins import (
    Batch,
    Checkpoint,
    CheckpointConflictError,
    Every,
    FatalError,
    Need,
    Outlet,
    ProjectConfig,
    RejectedError,
    RetryableError,
    Source,
    hookimpl,
    now_ns,
)
from ..forgetting import Forgetting
from ..storing import store
from .engine import Engine, Listed
from .follow import Following, checkpoint_key, container_fields
from .frames import Place

LOOK_S = 10.0
"""Between two looks at the list; a container that starts is told of at once."""
_STORING = 16  # containers whose batches are made and stored at once
_PAUSE_S = 0.1  # before one that has ended is looked at again: one that is restarted all the time costs little
_AGAIN_S = 1.0  # before a log that broke off is read on
_log = logging.getLogger(__name__)


def _daemon(url: str) -> str:
    if not re.fullmatch(r"unix:///[^\0]+|https?://[^/\s@]+", url):
        raise ValueError(f"{url!r} is no daemon; write unix:///var/run/docker.sock or http://host:2375")
    return url


class DockerConfig(ProjectConfig):
    """Settings of a source of containers."""

    url: Annotated[str, AfterValidator(_daemon)] = "unix:///var/run/docker.sock"
    """Where the Engine is: `unix:///PATH`, or `http://HOST:PORT` of a proxy before it."""
    include: tuple[str, ...] = ("*",)
    """Globs of the containers' names."""
    exclude: tuple[str, ...] = ()
    """Globs of names to leave out: Cordwood's own, where it runs as one of these containers."""
    labels: tuple[str, ...] = ("*",)
    """Globs of the containers' labels that become fields, `container.label.NAME`; at most a hundred a container."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin in the logs that are there when this source runs for the first time."""
    host: str = ""
    """The `host` of its events; default: this system's name."""
    forget_after: Every | None = "30d"
    """How long after a container is removed its position is forgotten. `null`: never. Where several nodes follow
    containers, one that was off for longer reads its own from their beginnings."""
    max_containers: int = Field(1000, ge=1, le=100_000)
    """Containers that are followed at once; others wait until one has ended."""


class Docker(Source[DockerConfig]):
    """Follow containers: each line with its time, stream, container, image and labels; a little Python a line."""

    def __init__(self, config: DockerConfig) -> None:
        super().__init__(config)
        self._following: set[str] = set()
        self._done: set[str] = set()
        self._refused: set[str] = set()
        self._rejected = self._unreadable = 0
        self._wake = anyio.Event()

    @property
    def counts(self) -> Mapping[str, int]:
        """Events that the store refused, and containers whose logs cannot be read."""
        return {"rejected_events": self._rejected, "unreadable_containers": self._unreadable}

    def needs(self) -> Sequence[Need]:
        """A daemon that answers."""

        async def trial(held: AsyncExitStack) -> str:
            engine = Engine(self.config.url)
            held.push_async_callback(engine.close)
            try:
                await engine.containers()
            except RetryableError as why:
                raise FatalError(f"{why}; is the daemon up, is this its address, may this user reach it?") from why
            return ""

        return [Need("url", f"ask {self.config.url}", trial)]

    async def run(self, outlet: Outlet) -> None:
        """Follow until cancelled.

        :raises RetryableError: the Engine does not answer
        """
        self._following, self._done, self._refused, self._wake = set(), set(), set(), anyio.Event()
        engine = Engine(self.config.url)
        raised: Exception | None = None
        try:
            if self.config.start == "end" and not await outlet.checkpoints("docker/"):
                await self._begin_now(engine, outlet)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._hear, engine)
                try:
                    await self._look(engine, outlet, tasks)
                except Exception as why:  # raised again below: here it would come out in a group of its own
                    raised = why
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await engine.close()
        if raised is not None:
            raise raised

    async def _begin_now(self, engine: Engine, outlet: Outlet) -> None:
        """Commit where the containers of now are read from, before anything else is."""
        place = Place(now_ns())
        for listed in await engine.containers():
            if self._wanted(listed):
                checkpoint = Checkpoint(checkpoint_key(listed.id), place.json())
                await store(outlet, Batch.from_lines([]), checkpoint=checkpoint)

    async def _look(self, engine: Engine, outlet: Outlet, tasks: TaskGroup) -> None:
        """Follow whatever is in the list, again and again."""
        storing, forgetting = anyio.Semaphore(_STORING), Forgetting(outlet, "docker/", self.config.forget_after)
        while True:
            wake = self._wake = anyio.Event()
            every = await engine.containers()
            listed = [one for one in every if self._wanted(one)]
            outlet.started()
            there = {one.id for one in listed}
            self._done &= there
            self._refused &= there
            for one in listed:
                ended = one.id in self._refused or (one.state in ("exited", "dead") and one.id in self._done)
                free = one.id not in self._following and len(self._following) < self.config.max_containers
                if free and not ended and one.state != "created":
                    self._following.add(one.id)
                    tasks.start_soon(self._follow, engine, outlet, one, storing)
            await forgetting.look(checkpoint_key(one.id) for one in every)
            with anyio.move_on_after(LOOK_S):
                await wake.wait()

    async def _hear(self, engine: Engine) -> None:
        """Look at once when a container starts; where the Engine does not tell, the list alone does."""
        while True:
            try:
                async with engine.starts() as starts:
                    async for number in starts:
                        self._done.discard(number)
                        self._refused.discard(number)
                        self._wake.set()
            except (RetryableError, RejectedError):
                pass
            self._done.clear()  # what started meanwhile nobody told
            await anyio.sleep(_AGAIN_S)

    def _wanted(self, listed: Listed) -> bool:
        def among(globs: tuple[str, ...]) -> bool:
            return any(fnmatch.fnmatchcase(listed.name, glob) for glob in globs)

        return among(self.config.include) and not among(self.config.exclude)

    async def _follow(self, engine: Engine, outlet: Outlet, listed: Listed, storing: anyio.Semaphore) -> None:
        """One container until it ends, or its log breaks off: then the next look goes on where it was."""
        following: Following | None = None
        try:
            container = await engine.inspect(listed.id)
            fields = container_fields(container, self.config.labels, self.config.host or socket.gethostname())
            following = Following(engine, outlet, container, fields, storing)
            await following.run()
            self._done.add(listed.id)
            await anyio.sleep(_PAUSE_S)
        except RejectedError as why:
            self._refused.add(listed.id)
            self._unreadable += 1
            _log.warning("source %s: the log of container %s cannot be read: %s", outlet.source, listed.name, why)
        except CheckpointConflictError as why:
            _log.warning("source %s: another reads container %s too: %s", outlet.source, listed.name, why)
            await anyio.sleep(_AGAIN_S)
        except RetryableError as why:
            _log.info("source %s: the log of container %s broke off: %s", outlet.source, listed.name, why)
            await anyio.sleep(_AGAIN_S)
        finally:
            self._rejected += following.rejected if following else 0
            self._following.discard(listed.id)
            self._wake.set()


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of containers."""
    return [Docker]
