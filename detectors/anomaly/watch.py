"""The model of one series: its last values, how strange each was, and what was said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...plugins import duration_ns
from ..series import Point, Verdict
from .looks import BLOCK, KEPT, LOOKS, RESIDUALS, SHAPES, Floats, rolling, season, strangeness

if TYPE_CHECKING:
    from . import AnomalyConfig

SECOND = 1_000_000_000
CALIBRATED = 2_000  # values whose strangeness tells what is usual of a look
LEAST = BLOCK  # values that calibrate, at least
YOUNG = 2 * BLOCK  # a series with fewer values is not judged, nor one that is younger than a day
QUANTILE = 0.98  # the strangeness that counts as 1: what one in fifty values had
MOST = 6.0  # no look counts for more, or one alone would decide
FLAT = (1e-9, 1e-3)  # least unit of a look, absolute and as a share of its middle: a flat series has none
HEAT, COOLING_S = 0.4, 4 * 86_400  # how much louder each time said makes the next, and how long that takes to fade


@dataclass(frozen=True, slots=True)
class Settings:
    """What of the detector's settings a model needs."""

    bin_s: int
    window_s: int
    rest_s: int
    sensitivity: float

    @property
    def per_day(self) -> int:
        """Bins of a day."""
        return 86_400 // self.bin_s

    @classmethod
    def of(cls, config: AnomalyConfig) -> Settings:
        """From the YAML's."""
        bin_s, window_s, rest_s = (duration_ns(span) // SECOND for span in (config.bin, config.window, config.rest))
        return cls(bin_s, window_s, rest_s, config.sensitivity)


class Watch:
    """Judges values by those before. What it answers does not depend on how many are judged at once."""

    __slots__ = ("count", "fresh", "heat", "residuals", "said", "settings", "spoke", "strange", "values")

    def __init__(self, settings: Settings, state: Any = None) -> None:
        """A new model, or one of a `dump`.

        :raises ValueError: the state is no such thing
        """
        self.settings = settings
        if state is None:
            state = (0, 0, 0.0, None, None, b"", b"", b"")
        try:
            self.count, self.fresh, self.heat, self.spoke, self.said, values, residuals, strange = state
            self.values = np.frombuffer(values, "<f8")
            self.residuals = np.frombuffer(residuals, "<f8")
            self.strange = np.frombuffer(strange, "<f4").reshape(len(LOOKS), -1)
        except (TypeError, ValueError) as why:
            raise ValueError(f"no such model: {why}") from why

    def dump(self) -> Any:
        """Its numbers; `values` and the like as bytes."""
        arrays = (self.values.tobytes(), self.residuals.tobytes(), self.strange.tobytes())
        return (self.count, self.fresh, self.heat, self.spoke, self.said, *arrays)

    def copy(self) -> Watch:
        """Another of the same state: the arrays are never changed, but replaced."""
        return Watch(self.settings, self.dump())

    def steps(self, points: Sequence[Point]) -> list[Verdict | None]:
        """Judge points by those before, then learn them."""
        verdicts: list[Verdict | None] = []
        while len(verdicts) < len(points):
            room = BLOCK - self.count % BLOCK
            verdicts += self._block(points[len(verdicts) : len(verdicts) + room])
        return verdicts

    def _block(self, points: Sequence[Point]) -> list[Verdict | None]:
        """Points of one block: what they are compared to ends where the block begins."""
        known = np.array([point.value is not None and math.isfinite(point.value) for point in points])
        values = self._with(points, known)
        first = len(self.values)
        fitted = first - self.count % BLOCK
        with np.errstate(over="ignore", invalid="ignore"):
            usual = season(values, first, self.settings.per_day) if self.count >= BLOCK else values[first:]
            residuals = np.concatenate([self.residuals, values[first:] - usual])
            spread = self._spread(residuals)
            strange = np.zeros((len(LOOKS), len(points)))
            if first:
                strange[0] = np.abs(residuals[-len(points) :] - spread[0]) / spread[1]
            for row, shape in enumerate(SHAPES, start=1):
                if first >= shape.points:
                    strange[row] = strangeness(shape, values, fitted, first)
        strange = np.nan_to_num(strange, nan=0.0, posinf=1e30).clip(0, 1e30)
        middle, unit = self._calibration()
        looks = ((strange - middle) / unit).clip(0, MOST) if unit is not None else np.zeros_like(strange)
        verdicts = [
            self._verdict(point, looks[:, row], float(usual[row]), float(spread[1][row]), middle, unit)
            if known[row] and unit is not None and self.count + row >= max(YOUNG, self.settings.per_day)
            else None
            for row, point in enumerate(points)
        ]
        self._learn(values, residuals, strange[:, known], len(points))
        return verdicts

    def _with(self, points: Sequence[Point], known: npt.NDArray[np.bool_]) -> Floats:
        """The values up to these. A bin without one has that of the bin before: times of the day stay in step."""
        values = np.concatenate([self.values, np.zeros(len(points))])
        for row, point in enumerate(points, start=len(self.values)):
            values[row] = point.value if known[row - len(self.values)] else values[row - 1] if row else 0.0
        return values

    def _spread(self, residuals: Floats) -> tuple[Floats, Floats]:
        first = len(self.residuals)
        if not first:
            return np.zeros_like(residuals), np.ones_like(residuals)
        mean, deviation = rolling(residuals, first, RESIDUALS)
        return mean, np.maximum(deviation, FLAT[0] + FLAT[1] * np.abs(mean))

    def _calibration(self) -> tuple[Any, Any]:
        """Of each look: its usual strangeness, and the unit above it; None: too little is known."""
        past = self.strange[:, : self.strange.shape[1] - self.fresh][:, -CALIBRATED:].astype(float)
        if past.shape[1] < LEAST:
            return None, None
        middle = np.median(past, axis=1, keepdims=True)
        high = np.quantile(past, QUANTILE, axis=1, keepdims=True)
        return middle, np.maximum(high - middle, FLAT[0] + FLAT[1] * middle)

    def _verdict(
        self, point: Point, looks: Floats, usual: float, spread: float, middle: Any, unit: Any
    ) -> Verdict | None:
        score, settings, value = float(looks.mean()), self.settings, point.value
        assert value is not None
        if score < settings.sensitivity:
            return None
        goes_on = self.said is not None and point.second - self.said < settings.window_s
        if not goes_on:
            since = math.inf if self.spoke is None else point.second - self.spoke
            heat = self.heat * math.exp(-since / COOLING_S)
            if since <= settings.rest_s or score < settings.sensitivity * (1 + HEAT * heat):
                return None
            self.heat, self.spoke = heat + 1.0, point.second
        self.said = point.second
        reach = float(middle[0, 0] + settings.sensitivity * unit[0, 0]) * spread
        return Verdict(
            value, usual, usual - reach, usual + reach, score,
            {"looks": {name: round(float(look), 2) for name, look in zip(LOOKS, looks, strict=True)}},
        )  # fmt: skip

    def _learn(self, values: Floats, residuals: Floats, strange: Floats, steps: int) -> None:
        self.values, self.residuals = values[-KEPT:], residuals[-RESIDUALS:]
        kept = np.concatenate([self.strange, strange.astype("<f4")], axis=1)
        self.strange = kept[:, -CALIBRATED - BLOCK :]
        self.count += steps
        self.fresh = 0 if self.count % BLOCK == 0 else self.fresh + strange.shape[1]
