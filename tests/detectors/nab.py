"""The scoring of the Numenta Anomaly Benchmark, from its paper, and the half of its corpus that the tests have.

Ahmad, Lavin, Purdy, Agha, "Unsupervised real-time anomaly detection for streaming data", Neurocomputing 2017, section
"Scoring"; Lavin, Ahmad, "Evaluating real-time anomaly detection algorithms", 2015, for weights and probation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

PROBATION, PROBATION_ROWS = 0.15, 5_000  # the share of a series that is not scored, and of how many rows at most
FAR = 3.0  # window lengths behind a window from where on a false alarm costs all of its weight


@dataclass(frozen=True)
class Profile:
    """What a hit, a false alarm and a miss weigh."""

    name: str
    hit: float
    false_alarm: float
    miss: float


STANDARD = Profile("standard", 1.0, 0.11, 1.0)
LOW_FP = Profile("reward low FP", 1.0, 0.22, 1.0)
LOW_FN = Profile("reward low FN", 1.0, 0.11, 2.0)
PROFILES = (STANDARD, LOW_FP, LOW_FN)


@dataclass(frozen=True)
class Series:
    """One file: seconds since the epoch, values, and the windows of its anomalies as (first, last) row."""

    name: str
    seconds: tuple[int, ...]
    values: tuple[float, ...]
    windows: tuple[tuple[int, int], ...]

    @property
    def group(self) -> str:
        """The corpus' own grouping: its folder."""
        return self.name.split("/")[0]

    @property
    def probation(self) -> int:
        """Rows at the beginning that are not scored."""
        return min(math.floor(PROBATION * len(self.values)), math.floor(PROBATION * PROBATION_ROWS))

    @cached_property
    def worth(self) -> tuple[list[float], list[int]]:
        """Of each row: what a detection there is worth before weights, and the number of its window or -1."""
        worth, inside = [-1.0] * len(self.values), [-1] * len(self.values)
        for number, (first, last) in enumerate(self.windows):
            width = last - first + 1
            best = sigmoid(-1.0)
            for row in range(first, last + 1):
                worth[row], inside[row] = sigmoid(-(last - row + 1) / width) / best, number
            until = self.windows[number + 1][0] if number + 1 < len(self.windows) else len(self.values)
            for row in range(last + 1, until):
                behind = (row - last) / (width - 1)
                worth[row] = sigmoid(behind) if behind < FAR else -1.0
        return worth, inside


def sigmoid(position: float) -> float:
    """The paper's scaled sigmoid: near 1 where a window begins (-1), 0 at its end, near -1 a window's length behind.

    >>> round(sigmoid(-1), 5), round(sigmoid(-0.5), 5), sigmoid(0)
    (0.98661, 0.84828, 0.0)
    """
    return 2 / (1 + math.exp(5 * position)) - 1


def score(series: Series, detections: Iterable[int], profile: Profile) -> float:
    """The raw score of a series: the best hit of each window, the misses, and every false alarm."""
    worth, inside = series.worth
    scored = [row for row in detections if row >= series.probation]
    # A window that lies within the probation as a whole is not counted.
    best = {number: -profile.miss for number, (_, last) in enumerate(series.windows) if last >= series.probation}
    false_alarms = 0.0
    for row in scored:
        if inside[row] < 0:
            false_alarms += worth[row] * profile.false_alarm
        else:
            best[inside[row]] = max(best[inside[row]], worth[row] * profile.hit)
    return sum(best.values()) + false_alarms


def normalised(corpus: Sequence[Series], raw: float, profile: Profile) -> float:
    """0 for a detector that never speaks, 100 for one that hits each window with its first row and nothing else."""
    windows = sum(len(series.windows) for series in corpus)
    null, perfect = -profile.miss * windows, profile.hit * windows
    return 100 * (raw - null) / (perfect - null)


def scores(corpus: Sequence[Series], detections: Mapping[str, Sequence[int]], profile: Profile) -> float:
    """The normalised score of all series together; `detections` are rows by the series' names."""
    return normalised(corpus, sum(score(one, detections[one.name], profile) for one in corpus), profile)


def load(folder: Path) -> list[Series]:
    """The series under `folder`, by name."""
    windows = json.loads((folder / "windows.json").read_text())
    return [_read(folder / "data" / name, name, windows[name]) for name in sorted(windows)]


def _read(path: Path, name: str, windows: Sequence[tuple[str, str]]) -> Series:
    lines = [line.split(",") for line in path.read_text().splitlines()[1:] if line]
    seconds = [_seconds(line[0]) for line in lines]
    rows = {second: row for row, second in reversed(list(enumerate(seconds)))}  # the first of equal times
    spans = tuple((rows[_seconds(first)], rows[_seconds(last)]) for first, last in windows)
    return Series(name, tuple(seconds), tuple(float(line[1]) for line in lines), spans)


def _seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
