"""What a model is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


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

    @property
    def direction(self) -> str:
        """`up` or `down`."""
        return "up" if self.value >= self.expected else "down"


class Model(Protocol):
    """The model of one series: plain numbers, so that it is stored as such. Points come in the order of time."""

    def step(self, point: Point) -> Verdict | None:
        """Judge a point by those before it, then learn it."""

    def dump(self) -> Any:
        """Its state, as msgpack takes it."""

    def copy(self) -> Model:
        """Another that learns on its own."""
