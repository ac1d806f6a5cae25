"""What is piped into Cordwood: each line an event.

    sources:
      app: {type: stdin}

    app 2>&1 | cordwood up cordwood.yaml

The writer waits while the store has no room.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import anyio
import anyio.to_thread
from pydantic import Field

from ..plugins import Batch, Need, Outlet, ProjectConfig, RetryableError, Source, hookimpl, in_worker, split_lines
from .lots import divided, lots
from .storing import store

_READ = 256 * 1024


class StdinConfig(ProjectConfig):
    """Settings of the source of standard input."""

    host: str = ""
    """The `host` of its events; default: this system's name."""
    max_line: int = Field(1_048_576, ge=1024, le=16_777_216)
    """Characters of a line; a longer one becomes several events."""


class Stdin(Source[StdinConfig]):
    """Take in standard input until it ends, a line an event. One such source has all of it: name no second one."""

    descriptor: ClassVar[int] = 0

    def __init__(self, config: StdinConfig) -> None:
        super().__init__(config)
        self._rejected = 0

    def needs(self) -> Sequence[Need]:
        """Nothing."""
        return ()

    async def run(self, outlet: Outlet) -> None:
        """Read until its end, or until cancelled.

        :raises RetryableError: it cannot be read
        """
        outlet.started()
        async for data in lots(self._read, self.config.max_line):
            self._rejected += await store(outlet, await in_worker(self._events, data), received=len(data))

    async def _read(self) -> bytes | None:
        try:
            if stat.S_ISREG(os.fstat(self.descriptor).st_mode):  # a file is always ready, and epoll takes none
                return await anyio.to_thread.run_sync(os.read, self.descriptor, _READ) or None
            await anyio.wait_readable(self.descriptor)
            return os.read(self.descriptor, _READ) or None
        except OSError as why:
            raise RetryableError(f"standard input cannot be read: {why.strerror}") from why

    def _events(self, data: bytes) -> Batch:
        batch = Batch.from_lines(divided(split_lines(data), self.config.max_line))
        return batch.with_default(host=self.config.host or socket.gethostname())

    @property
    def counts(self) -> Mapping[str, int]:
        """What the store refused."""
        return {"rejected_events": self._rejected}


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of standard input."""
    return [Stdin]
