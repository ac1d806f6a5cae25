"""Two looks at a unit: how many messages of each kind it has, and in which order they came. Both are fitted to units.

* Counts: the distance to the plane of usual count vectors, by principal components (Xu, Huang, Fox, Patterson, Jordan:
  Detecting Large-Scale System Problems by Mining Console Logs, SOSP 2009). Counts are taken so that a busy
  window is no stranger than a quiet one, and each kind is measured by how much it varies.
* Order: the least probable next kind after the two before, as DeepLog asks of its network which kinds may come next
  (Du, Li, Zheng, Srikumar, CCS 2017). Here the rates are counted, and what a context has not seen is estimated by how
  often it was followed by something new (Witten, Bell: The Zero-Frequency Problem, IEEE Trans. Inf. Theory 37, 1991).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = Mapping[int, int]

EXPLAINED = 0.8  # of the variance is what is usual: more, and the trouble that was learned is usual as well
MOST_PARTS = 20  # components
MORE_THAN_DRAWN, MOST_DRAWN = (
    4.0,
    5,
)  # variance of a component of windows that is no chance (of draws it is 1), and how many
NINTH_DECILE = 1.645  # deviations, of what is normally distributed
STEADY = 0.1  # least deviation of a kind's logarithm: what never varied is as if it did by a tenth
BEGIN, END = -1, -2  # marks before the first kind and after the last
NEW = -3  # the mark of a kind that was not known when the look was fitted


@dataclass(frozen=True, slots=True)
class Sample:
    """Units that were alike: the marks (kinds in their order), how many of each kind, and how many units."""

    marks: tuple[int, ...]
    counts: Counts
    weight: int


class CountLook:
    """The usual count vectors.

    `drawn`: of windows, whose counts vary as those of draws do, by their square root (Anscombe, 1948); so only what
    varies more than draws would is taken for usual. A session has so many of each kind as its work takes steps: its
    counts are taken by their logarithm.
    """

    def __init__(self, samples: Sequence[Sample], kinds: int, *, drawn: bool) -> None:
        self._kinds, self._drawn = kinds, drawn
        # Rarer units are usual as well: a hundred times as many count ten times.
        rows = [row for sample in samples for row in [sample] * math.isqrt(sample.weight)]
        data = np.stack([self._levels(row.counts) for row in rows])
        self._mean = data.mean(axis=0)
        self._scale = np.ones(kinds) if drawn else np.maximum(data.std(axis=0), STEADY)
        scaled = (data - self._mean) / self._scale
        self._axes: Floats = _axes(scaled, drawn=drawn) if len(rows) > 1 and scaled.any() else np.zeros((0, kinds))
        self._spread = np.ones(kinds)
        if drawn:
            off = np.abs(scaled - scaled @ self._axes.T @ self._axes)
            self._spread = np.maximum(1.0, np.quantile(off, 0.9, axis=0) / NINTH_DECILE)

    def score(self, counts: Counts) -> tuple[float, Floats]:
        """How far the kind that is furthest out is from what is usual; the same of each kind, too many above 0."""
        scaled = (self._levels(counts) - self._mean) / self._scale
        off = np.asarray((scaled - scaled @ self._axes.T @ self._axes) / self._spread)
        return float(np.abs(off).max()), off

    def expected(self, counts: Counts) -> Floats:
        """How many of each kind would be usual, beside the others."""
        scaled = (self._levels(counts) - self._mean) / self._scale
        levels = scaled @ self._axes.T @ self._axes * self._scale + self._mean
        return np.asarray(((levels / 2) ** 2 - 3 / 8 if self._drawn else np.expm1(levels)).clip(0))

    def _levels(self, counts: Counts) -> Floats:
        row = np.zeros(self._kinds)
        for kind, count in counts.items():
            if kind < self._kinds:
                row[kind] = count
        return 2 * np.sqrt(row + 3 / 8) if self._drawn else np.log1p(row)


def _axes(rows: Floats, *, drawn: bool) -> Floats:
    """The directions in which usual rows vary."""
    from sklearn.decomposition import PCA  # 1.5 s and 80 MiB, which a node without such a detector is spared

    pca = PCA(n_components=min(MOST_PARTS, *rows.shape), svd_solver="full").fit(rows)
    if drawn:
        return np.asarray(pca.components_[pca.explained_variance_ > MORE_THAN_DRAWN][:MOST_DRAWN])
    share = np.cumsum(pca.explained_variance_ratio_)
    return np.asarray(pca.components_[: int(np.searchsorted(share, EXPLAINED)) + 1])


@dataclass(frozen=True, slots=True)
class Step:
    """A kind that came after another, how improbable that was (-ln of its rate)."""

    before: int
    kind: int
    surprise: float


class OrderLook:
    """The usual next kinds, after the two before, the one before, and at all."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._next: dict[tuple[int, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for sample in samples:
            for context, kind in _steps(sample.marks):
                for depth in range(3):
                    self._next[context[depth:]][kind] += sample.weight
        self._totals = {context: sum(kinds.values()) for context, kinds in self._next.items()}
        self._known = max(1, len(self._next.get((), ())))

    def worst(self, marks: Sequence[int]) -> Step:
        """The most improbable step of a unit."""
        steps = [Step(context[1], kind, -math.log(self._rate(context, kind))) for context, kind in _steps(marks)]
        return max(steps, key=lambda step: step.surprise)

    def _rate(self, context: tuple[int, ...], kind: int) -> float:
        rate = 1.0 / (self._known + 1)
        for depth in (2, 1, 0):
            kinds = self._next.get(context[depth:])
            if kinds:
                total, different = self._totals[context[depth:]], len(kinds)
                rate = (kinds.get(kind, 0) + different * rate) / (total + different)
        return rate


def _steps(marks: Sequence[int]) -> Iterable[tuple[tuple[int, ...], int]]:
    """((the two before), the next) of each mark and of the end."""
    before = (BEGIN, BEGIN)
    for kind in (*marks, END):
        yield before, kind
        before = (before[1], kind)
