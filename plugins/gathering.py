"""Parsers that make one event of several, also of such as come in several batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .base import Parser, PluginConfig
from .batch import Batch

C = TypeVar("C", bound=PluginConfig)


def _nothing() -> Batch:
    return Batch.from_lines([])


@dataclass(frozen=True, slots=True)
class Held:
    """Events of which more may come: one of each stream."""

    batch: Batch = field(default_factory=_nothing)
    """Each as far as it came."""
    parts: Sequence[int] = ()
    """Of how many that came each is made."""
    at: Sequence[int] = ()
    """When the last part of each came, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of a batch and of what was held before it."""

    batch: Batch
    """The events that are whole, in the order of their first parts."""
    held: Held


class Gatherer(Parser[C]):
    """A parser that makes one event of several. It is a pipeline's first step: others then see whole events.

    It holds nothing itself. What it answers as held is committed together with what came, and given to it again: for
    the next batch of the same source, after a restart, and after `timeout_ns` without anything new.
    """

    def parse(self, batch: Batch) -> Batch:
        """The events as they came."""
        return batch

    @property
    @abstractmethod
    def timeout_ns(self) -> int:
        """How long it is waited for more of an event, in nanoseconds."""

    @abstractmethod
    def gather(self, held: Held, batch: Batch, now: int, *, last: bool = False) -> Gathered:
        """Put together what belongs together; every event of both is in one of the answer's, once.

        :param now: the time, in nanoseconds; what is held since `timeout_ns` before is whole
        :param last: nothing more will come: nothing may be held
        """
