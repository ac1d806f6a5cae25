"""One output at work: gather a lot, note that it is on the way, send it, note that it has arrived.

At least once: a crash after the sending and before the note sends the same lot with the same key again. Whatever goes
wrong, the lot is tried again until it is taken, and no other output waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
from collections.abc import Callable
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
from .metrics import ForwardingMetrics
from .progress import Ledger, Position
from .reader import LogReader

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 60.0  # between two attempts
WRITE_SECONDS = 300.0  # an output that takes longer for one lot hangs
LOOK_SECONDS = 1.0  # between looks whether a lot is full before its time
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
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
        self._label = _label(name)
        self._failures = 0

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
            with anyio.fail_after(WRITE_SECONDS):
                await self._output.write(lot)
        await self._ledger.arrived(self.name, upto, len(batch), seen)
        self._metrics.events.labels(*self._labels).inc(len(batch))
        self._metrics.up.labels(*self._labels).set(1)
        if self._failures:
            _log.info("output %s gets on again", self.name)
        self._position, self._pending, self._failures = upto, None, 0

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


def _label(name: str) -> str:
    """The name for a key, in which each sign may stand in a header and in a file's name; no two names have the same.

    >>> _label("lake-2"), _label("lager süd")
    ('lake-2', 'lager_s_d_e1c8c4b2')
    """
    plain = _UNSAFE.sub("_", name)
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
