"""What a project's limits let in: rates by a token bucket, and bytes of the day.

A batch is let in while something of each limit is left, and then counts whole: the limit is exceeded by one batch at
most, and the batches after it wait the longer. So a batch of any size gets in, and in the long run the rate holds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio

from ...config import ProjectLimits
from ...plugins import LimitError, RetryableError
from ..storage.commit import Submission
from ..storage.database import DATABASE_ERRORS, trouble
from ..storage.usage import DailyUsage

DEFAULT_PROJECT: Final = "default"
"""The installation's own, which is always there."""
_LOOK_SECONDS = 5.0  # who waits looks again so often: the configuration may have changed


@dataclass(slots=True)
class Bucket:
    """Tokens, refilled at a rate up to a capacity. Negative: a debt, to be waited for."""

    tokens: float = float("inf")
    filled: float = 0.0

    def wait(self, rate: int, burst: float, now: float) -> float:
        """Seconds until there is a token; 0: there is one. `burst`: the capacity, in seconds of the rate."""
        self.tokens = min(max(1.0, rate * burst), self.tokens + rate * (now - self.filled))
        self.filled = now
        return max(0.0, (1.0 - self.tokens) / rate)

    def take(self, count: int) -> None:
        """Take tokens, also such as are not there yet."""
        self.tokens -= count


@dataclass(slots=True)
class Admission:
    """The door of one project on this node."""

    project: str
    project_id: int
    usage: DailyUsage
    limits: ProjectLimits
    """May be exchanged at any time."""
    clock: Callable[[], float] = time.monotonic
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each limit stopped somebody, by (limit, `refused` or `waited`)."""
    _events: Bucket = field(default_factory=Bucket)
    _bytes: Bucket = field(default_factory=Bucket)

    @property
    def is_limited(self) -> bool:
        """Whether the project has a limit that may refuse a submission."""
        limits = self.limits
        return (limits.daily_bytes, limits.events_per_second, limits.bytes_per_second) != (None, None, None)

    async def check(self) -> None:
        """Refuse early, before anything is read, what `admit` would refuse.

        :raises LimitError: a limit is reached
        :raises RetryableError: the database does not answer
        """
        if why := await self._reached():
            self.reached[why.limit, "refused"] += 1
            raise why

    async def admit(self, submission: Submission, *, wait: bool) -> None:
        """Let a submission in; its bytes count as of today from now on, until `usage.end` or their commit.

        :param wait: wait for it, as for a source whose events would be lost otherwise, or would come again at once
        :raises LimitError: a limit is reached, and nobody waits
        :raises RetryableError: the database does not answer
        """
        waited = ""
        while why := await self._reached():
            if not wait:
                self.reached[why.limit, "refused"] += 1
                raise why
            if why.limit != waited:
                self.reached[why.limit, "waited"] += 1
            waited = why.limit
            await anyio.sleep(min(why.after or 0, _LOOK_SECONDS))
        self._events.take(submission.accepted)
        self._bytes.take(submission.received)
        self.usage.begin(submission)

    async def _reached(self) -> LimitError | None:
        """Of the limits that are reached the one that takes longest."""
        if not self.is_limited:
            return None
        limits, found = self.limits, []
        if limits.daily_bytes is not None:
            try:
                used, rest = await self.usage.today(self.project_id)
            except DATABASE_ERRORS as why:
                raise RetryableError(f"{trouble(why)}; try again", after=2) from why
            if used >= limits.daily_bytes:
                found.append(self._error("daily_bytes", limits.daily_bytes, rest))
        now, burst = self.clock(), limits.burst.total_seconds()
        for name, rate, bucket in (
            ("events_per_second", limits.events_per_second, self._events),
            ("bytes_per_second", limits.bytes_per_second, self._bytes),
        ):
            if rate is not None and (seconds := bucket.wait(rate, burst, now)):
                found.append(self._error(name, rate, seconds))
        return max(found, key=lambda error: error.after or 0, default=None)

    def _error(self, limit: str, value: int, after: float) -> LimitError:
        text = f"project {self.project} has reached its limit {limit} ({value}): send this again in {after:.0f} s"
        return LimitError(text, limit=limit, value=value, after=after)
