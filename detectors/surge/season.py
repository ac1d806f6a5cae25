"""The season of a count: what is usual at each hour of the week, and how far counts stray from it.

Expected is a profile over the 168 hours of a week (of 24 hours, as long as that hour of the week is new), bent between
the hours' middles, times a level that follows slowly. Counts stray as a negative binomial does: variance is the mean
plus (c times the mean) squared, with c learned. The distance is measured on the scale on which that variance is
constant (Anscombe 1948, "The transformation of Poisson, binomial and negative-binomial data"), over the last bin, the
last 3 and the last 12, so that a slight change shows as well once it lasts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...plugins import duration_ns
from ..series import Point, Verdict

if TYPE_CHECKING:
    from . import SurgeConfig

HOURS, DAY = 168, 24
SCALES = (1, 3, 12)  # bins that are judged together
CLIP = 2.5  # deviations from which on a count is learned as if it were that far: outliers must not bend the season
LEVEL_S = 12 * 3600  # how fast the level follows: seconds until a change counts for 1 - 1/e
HOUR_WEIGHT, DAY_WEIGHT = 1 / 5, 1 / 12  # of the newest value in a profile, once it has that many
STRAY_WEIGHT = 1 / 400  # of the newest bin in c
STRAY = (0.04, 0.2, 1.5)  # c: least, at first, most
UNSURE = 0.25  # is added to c where that hour of the week has not been seen
DAY_S = 86_400
TWO_DAYS = 2 * DAY_S  # a younger series is not judged: it has shown no hour twice
PLAIN = 2 / 3  # a surge is at least this far from what is expected, as a share of it: else nobody would see it
DROP = 0.4
DEAD = 0.05  # a share of the level: at an hour with less, a count says nothing of the level
LEAST = 1e-3  # events a bin: a level that is divided by


@dataclass(frozen=True, slots=True)
class Settings:
    """What of the detector's settings a season needs."""

    bin_s: int
    zone: ZoneInfo
    holidays: frozenset[date]
    sensitivity: float
    min_count: int
    up: bool
    down: bool
    adapt_bins: int

    @classmethod
    def of(cls, config: SurgeConfig) -> Settings:
        """From the YAML's."""
        bin_ns = duration_ns(config.bin)
        return cls(
            bin_s=bin_ns // 1_000_000_000,
            zone=config.timezone,
            holidays=frozenset(config.holidays),
            sensitivity=config.sensitivity,
            min_count=config.min_count,
            up=config.direction != "down",
            down=config.direction != "up",
            adapt_bins=max(1, duration_ns(config.adapt) // bin_ns),
        )


class Season:
    """The model of one series; `step` judges a bin, then learns it."""

    __slots__ = (
        "began", "day", "day_seen", "hour", "hour_at", "hour_seen", "hour_sum", "last", "level", "settings", "stray",
        "trouble", "trouble_ratio", "week",
    )  # fmt: skip

    def __init__(self, settings: Settings, state: Any = None) -> None:
        """A new season, or one of a `dump`.

        :raises ValueError: the state is no such thing
        """
        self.settings = settings
        if state is None:
            self.began: int | None = None
            self.level, self.stray = 0.0, STRAY[1]
            self.week, self.hour_seen = [0.0] * HOURS, [0] * HOURS
            self.day, self.day_seen = [0.0] * DAY, [0] * DAY
            self.hour, self.hour_at, self.hour_sum = -1, 0, [0.0, 0.0]
            self.last: list[tuple[float, float]] = []
            self.trouble, self.trouble_ratio = 0, 0.0
            return
        try:
            (self.began, self.level, self.stray, self.week, self.hour_seen, self.day, self.day_seen, self.hour,
             self.hour_at, self.hour_sum, last, self.trouble, self.trouble_ratio) = state  # fmt: skip
            self.last = [(float(count), float(expected)) for count, expected in last]
            fits = (len(self.week), len(self.hour_seen), len(self.day), len(self.day_seen)) == (HOURS, HOURS, DAY, DAY)
        except (TypeError, ValueError) as why:
            raise ValueError(f"no season: {why}") from why
        if not fits:
            raise ValueError("no season: a profile has another length")

    def dump(self) -> Any:
        """Its numbers."""
        return (self.began, self.level, self.stray, self.week, self.hour_seen, self.day, self.day_seen, self.hour,
                self.hour_at, self.hour_sum, self.last, self.trouble, self.trouble_ratio)  # fmt: skip

    def copy(self) -> Season:
        """Another of the same state."""
        began, level, stray, week, hour_seen, day, day_seen, hour, hour_at, hour_sum, *rest = self.dump()
        lists = [*week], [*hour_seen], [*day], [*day_seen]
        return Season(self.settings, (began, level, stray, *lists, hour, hour_at, [*hour_sum], *rest))

    def steps(self, points: Sequence[Point]) -> list[Verdict | None]:
        """The counts of bins, each judged by those before."""
        return [self.step(point) for point in points]

    def step(self, point: Point) -> Verdict | None:
        """The count of a bin, judged by those before."""
        count = point.value or 0.0
        if self.began is None:
            self.began, self.level = point.second, max(count, LEAST)
        slot, share = self._slot(point.second)
        expected, known = self._expected(slot, share)
        stray = self.stray if known else self.stray + UNSURE
        self.last = [*self.last[1 - SCALES[-1] :], (count, expected)]
        distance = _distance(count, expected, stray)
        verdict = None
        if point.second - self.began >= TWO_DAYS:
            verdict = self._verdict(count, expected, stray, distance)
        self._learn(point.second, slot, count, expected, distance, verdict)
        return verdict

    def _slot(self, second: int) -> tuple[int, float]:
        """The hour of the week, and how far the bin's middle is from that hour's: -0.5 to 0.5."""
        middle = datetime.fromtimestamp(second + self.settings.bin_s // 2, UTC).astimezone(self.settings.zone)
        weekday = 6 if middle.date() in self.settings.holidays else middle.weekday()
        return weekday * DAY + middle.hour, (middle.minute * 60 + middle.second) / 3600 - 0.5

    def _expected(self, slot: int, share: float) -> tuple[float, bool]:
        """What is usual there, and whether that hour of the week was seen before."""
        usual = self._profile(slot)
        beside = slot + (1 if share > 0 else -1)
        if beside // DAY == slot // DAY:  # not over midnight: the next day may be of another kind
            usual += (self._profile(beside) - usual) * abs(share)
        return max(0.0, usual * self.level), self.hour_seen[slot] > 0

    def _profile(self, slot: int) -> float:
        if self.hour_seen[slot]:
            return self.week[slot]
        return self.day[slot % DAY] if self.day_seen[slot % DAY] else 1.0

    def _verdict(self, count: float, expected: float, stray: float, distance: float) -> Verdict | None:
        settings = self.settings
        bound = settings.sensitivity
        far = distance
        for scale in SCALES[1:]:
            if len(self.last) >= scale:
                counts, usual = (sum(column) for column in zip(*self.last[-scale:], strict=True))
                together = _distance(counts, usual, stray)
                # What lies in the past only is over: the newest bin must stray the same way.
                if abs(together) > abs(far) and together * distance > 0 and abs(distance) > bound / 4:
                    far = together
        up = far >= bound and settings.up and count >= settings.min_count and count >= expected * (1 + PLAIN)
        down = far <= -bound and settings.down and expected >= settings.min_count and count <= expected * (1 - DROP)
        if not (up or down):
            return None
        lower, upper = (_at_distance(expected, stray, way * bound) for way in (-1, 1))
        return Verdict(count, expected, lower, upper, far)

    def _learn(
        self, second: int, slot: int, count: float, expected: float, distance: float, verdict: Verdict | None
    ) -> None:
        if verdict is not None:
            ratio = (count + 0.1) / (expected + 0.1)
            self.trouble += 1
            self.trouble_ratio += (ratio - self.trouble_ratio) / min(self.trouble, self.settings.adapt_bins)
            if self.trouble < self.settings.adapt_bins:
                return
            self.level = max(LEAST, self.level * self.trouble_ratio)
        self.trouble, self.trouble_ratio = 0, 0.0
        clipped = count
        if abs(distance) > CLIP and self.hour_seen[slot]:  # the first is all that is known
            clipped = _at_distance(expected, self.stray, math.copysign(CLIP, distance))
        age = second - (self.began or 0)
        if age < DAY_S:  # the level is the mean of the first day: no hour can be a share of less
            self.level += (count - self.level) / (age // self.settings.bin_s + 1)
            return
        usual = expected / self.level
        if usual > DEAD and self.day_seen[slot % DAY]:
            weight = self.settings.bin_s / LEVEL_S * min(1.0, usual)
            self.level = max(LEAST, self.level + weight * (clipped / usual - self.level))
        square = min(distance * distance, CLIP * CLIP)
        self.stray = min(STRAY[2], max(STRAY[0], self.stray * math.exp(STRAY_WEIGHT * (square - 0.9))))
        self._learn_hour(slot, clipped)

    def _learn_hour(self, slot: int, count: float) -> None:
        """An hour is learned once it is over: the mean of its bins, as a share of the level."""
        if slot != self.hour and self.hour >= 0 and self.hour_sum[1]:
            share = self.hour_sum[0] / self.hour_sum[1] / max(self.level, LEAST)
            _follow(self.week, self.hour_seen, self.hour, share, HOUR_WEIGHT)
            _follow(self.day, self.day_seen, self.hour % DAY, share, DAY_WEIGHT)
            self.hour_sum = [0.0, 0.0]
        self.hour = slot
        self.hour_sum = [self.hour_sum[0] + count, self.hour_sum[1] + 1.0]


def _follow(profile: list[float], seen: list[int], slot: int, value: float, least: float) -> None:
    """The mean of the first values, later one that follows."""
    seen[slot] += 1
    profile[slot] += max(least, 1 / seen[slot]) * (value - profile[slot])


def _distance(count: float, expected: float, stray: float) -> float:
    """How many deviations the count is above what is expected.

    >>> round(_distance(100, 100, 0.1), 3), round(_distance(200, 100, 0.1), 1), round(_distance(3, 1, 0.1), 1)
    (0.0, 5.3, 1.3)
    """
    return 2 / stray * (math.asinh(stray * math.sqrt(count + 0.375)) - math.asinh(stray * math.sqrt(expected + 0.375)))


def _at_distance(expected: float, stray: float, distance: float) -> float:
    """The count that is so far away; the reverse of `_distance`.

    >>> round(_at_distance(100, 0.1, _distance(200, 100, 0.1)), 6)
    200.0
    """
    root = math.asinh(stray * math.sqrt(expected + 0.375)) + distance * stray / 2
    return max(0.0, (math.sinh(max(0.0, root)) / stray) ** 2 - 0.375)
