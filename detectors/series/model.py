"""What a model is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...plugins import Json


@dataclass(frozen=True, slots=True)
class Point:
    """A bin of a series: where it begins, seconds since the epoch, and its value; None: no event had one."""

    second: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value that is out of the way, with what it was measured by."""

    value: float
    expected: float
    lower: float
    upper: float
    score: float
    """How far out, in the detector's own unit: its sensitivity is the bound."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """What else explains it."""

    @property
    def direction(self) -> str:
        """`up` or `down`."""
        return "up" if self.value >= self.expected else "down"


class Model(Protocol):
    """The model of one series: plain numbers, so that it is stored as such. Points come in the order of time."""

    def steps(self, points: Sequence[Point]) -> Sequence[Verdict | None]:
        """Judge each point by those before it, then learn it; the same however many there are at once."""

    def dump(self) -> Any:
        """Its state, as msgpack takes it."""

    def copy(self) -> Model:
        """Another that learns on its own."""
