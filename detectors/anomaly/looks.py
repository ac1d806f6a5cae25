"""Four looks at a value: how strange it is by its season, and as the end of three shapes.

The season's look is the distance to the values of the same time on the days before. A shape's look is the distance of
the last values to the shapes most like it that were seen before, which is the strangeness of the k-nearest-neighbour
conformal detector (Burnaev, Ishimtsev, "Conformalized density- and distance-based anomaly detection in time-series
data", 2016). Each is measured against its own past, so that what is strange in one series need not be in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

BLOCK = 64  # values that are judged by one and the same model: it is fitted anew for each block
TRAINED = 2_000  # shapes that a shape is compared to: the newest
NEIGHBOURS = 5
LEAST_SHAPES = 30  # below, a shape is not judged
DAYS = 7  # days back that tell what is usual at a time of the day
RESIDUALS = 1_000  # distances to the season that tell how far values stray from it
LARGEST = 1e100  # values beyond are taken for it: their squares must be numbers


@dataclass(frozen=True, slots=True)
class Shape:
    """The last `points` values; `folded`: large values lie closer together, as by a logarithm."""

    points: int
    folded: bool = False

    @property
    def name(self) -> str:
        """As an incident names it."""
        return f"shape of {self.points}"


SHAPES = (Shape(8), Shape(19), Shape(30, folded=True))
LOOKS = ("season", *(shape.name for shape in SHAPES))
KEPT = TRAINED + 2 * BLOCK + max(shape.points for shape in SHAPES)
"""Values of the past that all looks together need."""


def season(values: Floats, first: int, per_day: int) -> Floats:
    """What is usual for each value from `first` on: the median over the days of the values of about that time.

    If the value is closer to that of the day before, that is usual as well: after a shift of the level the median
    follows only once half of the days have it. Where less than two days are known, it is the mean of the day before.
    """
    rows = np.arange(first, len(values))
    back = rows[:, None, None] - per_day * np.arange(1, DAYS + 1)[None, :, None] + np.arange(-1, 2)[None, None, :]
    # With few bins a day, the one beside may not have been yet.
    known = (back >= 0) & (back < rows[:, None, None])
    days = _median(np.where(known, values[np.clip(back, 0, len(values) - 1)], np.nan))
    few = np.isfinite(days).sum(axis=1) < 2
    usual = np.where(few, rolling(values, first, min(per_day, RESIDUALS))[0], _median(days))
    yesterday, now = days[:, 0], values[first:]
    return np.where(np.abs(now - yesterday) < np.abs(now - usual), yesterday, usual)  # NaN is never nearer


def _median(values: Floats) -> Floats:
    """Along the last axis, of the finite ones; NaN where there are none. (`nanmedian` is slow, and warns.)"""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = np.isfinite(values).sum(axis=-1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, np.maximum(count - 1, 0))
    middle = [np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (low, high)]
    return np.where(count > 0, (middle[0] + middle[1]) / 2, np.nan)


def strangeness(shape: Shape, values: Floats, fitted: int, first: int) -> Floats:
    """Of each value from `first` on: the mean distance of its shape to its neighbours among those before `fitted`."""
    from sklearn.neighbors import NearestNeighbors  # 1.5 s and 80 MiB, which a node without such a detector is spared

    strange = np.zeros(len(values) - first)
    begin = max(0, fitted - TRAINED - shape.points)
    ends = fitted - 2 * shape.points + 2  # shapes that begin before: they share no value with the first one judged
    if ends - begin < LEAST_SHAPES:
        return strange
    seen = np.clip(values, -LARGEST, LARGEST)
    if shape.folded:
        scale = np.median(np.abs(seen[begin:fitted])) or np.abs(seen[begin:fitted]).mean() or 1.0
        seen = np.arcsinh(seen / scale)
    shapes = np.lib.stride_tricks.sliding_window_view(seen, shape.points)
    model: Any = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="kd_tree").fit(shapes[begin:ends])
    distances, _ = model.kneighbors(shapes[first - shape.points + 1 :])
    strange[:] = np.sqrt((distances**2).mean(axis=1))
    return strange


def rolling(values: Floats, first: int, window: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the `window` values before each from `first` on, which must not be 0."""
    at = np.arange(first, len(values))
    begin = np.maximum(0, at - window)
    middle = values[:first].mean()  # sums of distances to it lose no digits
    sums, squares = (np.concatenate([[0.0], np.cumsum((values - middle) ** power)]) for power in (1, 2))
    mean = (sums[at] - sums[begin]) / (at - begin)
    variance = (squares[at] - squares[begin]) / (at - begin) - mean**2
    return mean + middle, np.sqrt(np.maximum(0.0, variance))
