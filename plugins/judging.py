"""Parsers with a memory: which events go on is decided by those that went before."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import polars as pl

from .base import Parser, PluginConfig
from .batch import Batch

C = TypeVar("C", bound=PluginConfig)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a parser with a memory decided over a batch."""

    batch: Batch
    """All its events in their order, as they are if they go on."""
    keeps: pl.Series
    """Which of them go on, a Boolean for each row."""
    settle: Callable[[bool], None]
    """Called once: with true after the commit of the batch, with false if it will not be committed. Must not block."""


class Judge(Parser[C]):
    """A parser that decides over events by those before them, and so has a memory, of the node it runs on.

    Batches come from several threads, and a batch that was judged may never be committed: its sender then sends it
    again, and nothing may be left out of it because of what was not stored.
    """

    def parse(self, batch: Batch) -> Batch:
        """The events as they came."""
        return batch

    @abstractmethod
    def judge(self, batch: Batch) -> Judged:
        """Decide over a batch. Those left out are acknowledged and counted, and not stored."""


class MergedPatterns(Protocol):
    """The patterns that people merged, of the project whose events a parser sees."""

    def __bool__(self) -> bool:
        """Whether there are any."""

    def of_mask(self, mask: str) -> str | None:
        """What the merged pattern is known by to which messages of this mask belong; None: to none."""


class PatternJudge(Judge[C]):
    """A judge that tells messages apart by their patterns."""

    def judge(self, batch: Batch) -> Judged:
        """Where nobody has merged any."""
        return self.judge_patterns(batch, None)

    @abstractmethod
    def judge_patterns(self, batch: Batch, merged: MergedPatterns | None) -> Judged:
        """As `judge`."""
