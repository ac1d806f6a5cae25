"""All that one source listens with, run together, and what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from ...plugins import FatalError, RetryableError
from .datagrams import Datagrams
from .gather import Gatherer
from .streams import Streams


class Listeners:
    """Runs listeners, and the gatherers that they put into, until cancelled."""

    def __init__(self, gatherers: Sequence[Gatherer[Any]], listeners: Sequence[Streams | Datagrams]) -> None:
        self._gatherers, self._listeners = gatherers, listeners

    async def run(self) -> None:
        """Listen.

        :raises RetryableError: somebody else has an address
        :raises FatalError: an address cannot be had, or a certificate cannot be used
        """
        try:
            async with anyio.create_task_group() as tasks:
                for gatherer in self._gatherers:
                    tasks.start_soon(gatherer.run)
                for listener in self._listeners:
                    await tasks.start(listener.run)
                self._gatherers[0].started()
        except BaseExceptionGroup as group:
            # The engine asks what to do next by the class of one error.
            told = group.subgroup((FatalError, RetryableError))
            while told is not None:
                first = told.exceptions[0]
                if not isinstance(first, BaseExceptionGroup):
                    raise first from None
                told = first
            raise

    @property
    def counts(self) -> Mapping[str, int]:
        """See `plugins.Source.counts`."""
        counts = Counter({"rejected_events": sum(gatherer.rejected for gatherer in self._gatherers)})
        for listener in self._listeners:
            if isinstance(listener, Datagrams):
                counts["dropped_datagrams"] += listener.dropped
            else:
                counts["refused_connections"] += listener.refused
                counts["failed_handshakes"] += listener.failed_handshakes
        return counts
