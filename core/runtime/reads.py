"""What the steps of pipelines read besides events: lookup tables, and the patterns that people merged."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import anyio

from ...plugins import RetryableError, Table
from ..query.shaped import NOTHING, Shaped, ShapedPatterns
from ..storage.database import DATABASE_ERRORS, trouble
from .tables import PipelineTables

_EVERY_S: Final = 1.0  # between two questions for the same project's patterns
_WAIT_S: Final = 2.0  # for an answer
_MOST_MASKS: Final = 50_000  # whose pattern is remembered; then it begins anew


class Merged:
    """`plugins.MergedPatterns` of a project; each mask is compared with what people shaped once."""

    def __init__(self, shaped: Shaped = NOTHING) -> None:
        self.shaped = shaped
        self._known: dict[str, str | None] = {}

    def __bool__(self) -> bool:
        return bool(self.shaped)

    def of_mask(self, mask: str) -> str | None:
        """See `plugins.MergedPatterns.of_mask`."""
        known = self._known
        if mask not in known:
            if len(known) >= _MOST_MASKS:
                known = self._known = {}  # others may be reading the old one
            known[mask] = self.shaped.merged(mask)
        return known[mask]


@dataclass(frozen=True, slots=True)
class Known:
    """As a batch finds it."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    """The lookup tables that there are, of those its steps read."""
    merged: Merged = field(default_factory=Merged)


NOTHING_KNOWN: Final = Known()


class PipelineReads:
    """Reads it, anew once a second. With the database gone, what was read before is used on."""

    def __init__(self, tables: PipelineTables, shaped: ShapedPatterns) -> None:
        self._tables, self._shaped = tables, shaped
        self._known: dict[int, tuple[float, Merged]] = {}
        self._lock = anyio.Lock()

    async def of(self, project_id: int, tables: Collection[str], *, by_patterns: bool) -> Known:
        """The project's tables of these names, and its merged patterns if they are wanted.

        :raises RetryableError: the database does not answer, and it has never been asked for them
        """
        if not (tables or by_patterns):
            return NOTHING_KNOWN
        merged = await self._merged(project_id) if by_patterns else NOTHING_KNOWN.merged
        return Known(await self._tables.of(project_id, tables), merged)

    async def _merged(self, project_id: int) -> Merged:
        if (fresh := self._fresh(project_id)) is not None:
            return fresh
        async with self._lock:
            if (fresh := self._fresh(project_id)) is not None:  # somebody else has asked meanwhile
                return fresh
            before = self._known.get(project_id)
            try:
                with anyio.fail_after(_WAIT_S):
                    shaped = await self._shaped.shaped(project_id)
            except DATABASE_ERRORS as why:
                if before is None:
                    raise RetryableError(f"{trouble(why)}; the merged patterns are not known") from why
                merged = before[1]
            else:
                merged = before[1] if before is not None and before[1].shaped == shaped else Merged(shaped)
            self._known[project_id] = time.monotonic(), merged
            return merged

    def _fresh(self, project_id: int) -> Merged | None:
        known = self._known.get(project_id)
        return known[1] if known and time.monotonic() - known[0] < _EVERY_S else None
