"""One output at work: gather a lot, note that it is on the way, send it, note that it has arrived.

At least once: a crash after the sending and before the note sends the same lot with the same key again. Whatever goes
wrong, the lot is tried again until it is taken, and no other output waits for it. Only events that the other side will
never take are kept aside, as dead letters, with the note that all before them has arrived.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio

from ...plugins import (
    Batch,
    DeliveryError,
    Lot,
    Output,
    OutputConfig,
    QueryError,
    RetryableError,
    duration_ns,
    in_worker,
)
from ..alerting.head import Head
from ..query import BatchFilter
from ..storage.dead_letters import Dead, refused
from .label import label
from .metrics import ForwardingMetrics
from .progress import Ledger, Position
from .reader import LogReader
from .sending import WRITE_SECONDS, Sending

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 60.0  # between two attempts
MOST_LETTERS = 20_000  # of one lot: they are written in one transaction, which must be short
LOOK_SECONDS = 1.0  # between looks whether a lot is full before its time
_log = logging.getLogger(__name__)


class Forwarder:
    """Sends by one output from its position on, until cancelled."""

    def __init__(
        self,
        name: str,
        output: Output[Any],
        position: Position,
        *,
        reader: LogReader,
        head: Head,
        ledger: Ledger,
        metrics: ForwardingMetrics,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name, self._output = name, output
        self._position, self._pending = position.position, position.pending
        self._reader, self._head, self._ledger, self._metrics = reader, head, ledger, metrics
        self._chance, self._labels = chance, (name, output.type)
        self._label = label(name)
        self._failures = 0
        self._sending: Sending | None = None

    async def run(self) -> None:
        """Send whatever comes, until cancelled."""
        self._metrics.up.labels(*self._labels).set(1)
        config: OutputConfig = self._output.config
        keeps = BatchFilter(config.when) if config.when.strip() else None
        try:
            while True:
                try:
                    await self._head.passed(self._position, None)
                    await self._forward(await self._gathered(), keeps)
                except DeliveryError as why:
                    wait = await self._failed(str(why), "waiting" if isinstance(why, RetryableError) else "failed", why)
                except TimeoutError:
                    wait = await self._failed(f"was not done within {WRITE_SECONDS:.0f} s", "waiting")
                except QueryError as why:
                    wait = await self._failed(f"when: {why.message}", "failed")
                except Exception as why:  # an output may be a stranger's code: what it raises must not stop the others
                    wait = await self._failed(f"{type(why).__name__} in the output", "waiting")
                    _log.exception("output %s has a defect", self.name)
                else:
                    continue
                await anyio.sleep(wait)
        finally:
            if keeps is not None:
                keeps.close()

    async def _gathered(self) -> int:
        """Wait until a lot is full or its time is up; its last commit."""
        config: OutputConfig = self._output.config
        due = anyio.current_time() + duration_ns(config.every) / 1e9
        while self._pending is None:
            plan = await self._reader.plan(self._position, self._head.value, config.max_events, config.max_bytes)
            left = due - anyio.current_time()
            if plan.full or left <= 0 or self._failures:
                return plan.upto
            await anyio.sleep(min(left, LOOK_SECONDS))
        return self._pending

    async def _forward(self, upto: int, keeps: BatchFilter | None) -> None:
        """Send what the search finds in the commits up to `upto`."""
        batch = await self._reader.read(self._position, upto)
        seen: Any = batch.frame["observed_timestamp"].to_physical().max()
        if keeps is not None and len(batch):
            mask = await in_worker(keeps.mask, batch)
            batch = Batch(batch.frame.filter(mask))
        if len(batch):
            if self._pending is None:
                await self._ledger.begins(self.name, upto)
                self._pending = upto
            lot = self._lot(batch, upto)
            if self._sending is None or not self._sending.is_of(lot):
                self._sending = Sending(lot.key, len(batch))
            await self._sending.send(self._output, lot)
        aside = self._sending.refused if self._sending is not None and len(batch) else {}
        letters = await in_worker(self._letters, batch, aside) if aside else []
        sent = len(batch) - len(aside)
        await self._ledger.arrived(self.name, upto, sent, seen, letters, len(aside))
        self._metrics.events.labels(*self._labels).inc(sent)
        self._metrics.refused.labels(*self._labels).inc(len(aside))
        self._metrics.up.labels(*self._labels).set(1)
        if self._failures:
            _log.info("output %s gets on again", self.name)
        if aside:
            why = next(iter(aside.values()))
            _log.error("output %s: %d events are refused for good and are dead letters: %s", self.name, len(aside), why)
        self._position, self._pending, self._failures, self._sending = upto, None, 0, None

    def _letters(self, batch: Batch, aside: Mapping[int, str]) -> list[Dead]:
        """The first of the events that are refused, as dead letters. Blocking."""
        kept = dict(sorted(aside.items())[:MOST_LETTERS])
        return refused(batch, kept, output=self.name, type_=self._output.type)

    def _lot(self, batch: Batch, upto: int) -> Lot:
        first: Any = batch.frame["observed_timestamp"].to_physical().min()
        arrived = first or 0
        at = datetime.fromtimestamp(arrived // 10**9, UTC)
        return Lot(f"{at:%Y%m%dT%H%M%S}{arrived % 10**9:09}Z-{self._position + 1}-{upto}-{self._label}", batch, arrived)

    async def _failed(self, error: str, state: str, why: DeliveryError | None = None) -> float:
        """Count and tell; in how many seconds to try again."""
        self._failures += 1
        self._metrics.failures.labels(*self._labels).inc()
        self._metrics.up.labels(*self._labels).set(0)
        if self._failures == 1:
            _log.warning("output %s: %s; trying again until it is taken", self.name, error)
        await self._ledger.failed(self.name, state, error)
        wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures - 1, 20)) * (0.75 + self._chance() / 2)
        asked = why.after if isinstance(why, RetryableError) else None
        return max(wait, min(asked or 0.0, LONGEST_SECONDS))
