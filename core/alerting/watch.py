"""Tells detectors of the commits that concern them: one statement asks for all their searches at once.

A detector that says which searches it looks at is judged only when one of them found something in new events, or when
what it found before leaves its window. The others are known to find what they found: nothing. They cost no query, and
one write says for all of them how far they have come (see `idle`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import anyio

from ...plugins import QueryError
from ..query import QueryRequest
from ..query.newest import NewestFound, is_searched
from ..storage.leader import UNREACHABLE
from .surroundings import Surroundings

PAUSE: Final = 0.2  # seconds between two rounds: a commit after a quiet time is told of at once, others together
LOOK_BACK_ROWS: Final = 2_000_000  # events looked through at the start; with more, all detectors begin as warm
ROUND_SECONDS: Final = 30.0
_FAILURES: Final[tuple[type[Exception], ...]] = (QueryError, *UNREACHABLE)
_log = logging.getLogger(__name__)


class Watched(Protocol):
    """What the watch knows of a detector."""

    name: str

    @property
    def searches(self) -> Sequence[str]:
        """Queries whose searches find all events that can change what the detector finds."""

    @property
    def span_ns(self) -> int:
        """For how long an event matters."""

    def concerned(self, head: int, newest_ns: int | None) -> None:
        """There may be an event up to this position that matters, at most so new; None: not known how new."""

    def seen(self, newest_ns: int | None) -> None:
        """The newest event that matters so far; None: none."""

    def settle(self, head: int, at_ns: int) -> bool:
        """No event up to this position matters; whether it had nothing else to judge, and is done up to then."""


class Watch:
    """Follows the log for the detectors of one project; `run` until cancelled."""

    def __init__(self, detectors: Sequence[Watched], shared: Surroundings) -> None:
        self._detectors, self._shared = detectors, shared
        self._own = [tuple(detector.searches) for detector in detectors]
        self._may_use_saved = any("`" in text for texts in self._own for text in texts)
        self._each: list[list[str]] | None = None
        self._texts: tuple[str, ...] = ()
        self._newest: NewestFound | None = None
        self._position = shared.head.value  # before any detector runs: what lies behind, each has seen itself
        self._failed = False

    async def run(self) -> None:
        """Ask after every commit. Where that fails, every detector is judged, as if there were no watch."""
        if not self._detectors:
            return
        await self._guarded(self._look_back)
        while True:
            await self._shared.head.passed(self._position, None)
            head = self._shared.head.value
            if not await self._guarded(self._round, head):
                for detector in self._detectors:
                    detector.concerned(head, None)
            self._position = head
            await anyio.sleep(PAUSE)

    async def _guarded(self, step: Callable[..., Awaitable[None]], *arguments: int) -> bool:
        """Whether the step was done; the first failure of several is told."""
        try:
            await step(*arguments)
        except _FAILURES as why:
            if not self._failed:
                _log.warning("alerting: cannot ask for all detectors at once, each is judged alone: %s", why)
            self._failed = True
            return False
        self._failed = False
        return True

    async def _look_back(self) -> None:
        """What the windows hold at the start; of a busy store it is not asked: the detectors' own runs find out."""
        now_ns = self._shared.clock()
        span = max((detector.span_ns for detector in self._detectors), default=0)
        segments = await self._shared.catalog.segments(
            self._shared.project_id, from_ns=now_ns - span, upto_position=self._position
        )
        if sum(segment.rows for segment in segments) <= LOOK_BACK_ROWS:
            for detector, newest_ns in zip(
                self._detectors, await self._found(None, self._position, now_ns - span), strict=True
            ):
                detector.seen(newest_ns)

    async def _round(self, head: int) -> None:
        at_ns = self._shared.now()
        before = self._texts
        found = await self._found(self._position, head, None)
        changed = bool(before) and before != self._texts  # a saved query means something else now
        for detector, newest_ns in zip(self._detectors, found, strict=True):
            if newest_ns is not None or changed:
                detector.concerned(head, newest_ns)
            elif detector.settle(head, at_ns):
                self._shared.idle.note(detector.name, at_ns, head)

    async def _found(self, after: int | None, upto: int, from_ns: int | None) -> list[int | None]:
        """The newest event of each detector in a part of the log."""
        each = await self._searches()
        texts = tuple(dict.fromkeys(text for found in each for text in found))
        if self._newest is None or texts != self._texts:
            self._newest, self._texts = NewestFound(self._shared.engine, texts), texts
        request = QueryRequest(
            text="",
            project_id=self._shared.project_id,
            now_ns=self._shared.clock(),
            from_ns=from_ns,
            after_position=after,
            upto_position=upto,
            timeout=ROUND_SECONDS,
        )
        newest = dict(zip(texts, await self._newest.of(request), strict=True))
        return [max((at for text in found if (at := newest[text]) is not None), default=None) for found in each]

    async def _searches(self) -> list[list[str]]:
        """Each detector's searches, saved queries written out; all events where one cannot be searched alone."""
        if self._each is not None and not self._may_use_saved:
            return self._each
        resolved: Callable[[str], str] = str
        if self._may_use_saved:
            resolved = await self._shared.engine.resolver(self._shared.project_id)
        usable: dict[str, str] = {}
        for text in {text for texts in self._own for text in texts}:
            with suppress(QueryError):
                if is_searched(found := resolved(text)):
                    usable[text] = found
        self._each = [[usable[text] for text in texts] if usable.keys() >= set(texts) else ["*"] for texts in self._own]
        return self._each
