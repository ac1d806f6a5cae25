"""The season of a count: what is usual at each hour of the week, and how far counts stray from it.

Expected is a profile over the 168 hours of a week (of 24 hours, as long as that hour of the week is new), bent between
the hours' middles, times a level that follows slowly. Counts stray as a negative binomial does: variance is the mean
plus (c times the mean) squared, with c learned. The distance is measured on the scale on which that variance is
constant (Anscombe 1948, "The transformation of Poisson, binomial and negative-binomial data"), over the last bin, the
last 3 and the last 12, so that a slight change shows as well once it lasts.

Trouble bends nothing, but what comes back at the same hour of the week is usual: at an hour that is known by its day
alone from the second time on, else from the third. Nor does silence bend anything, however long it is: a source that
was off for days comes back to the season that it left.
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
        "began", "day", "day_seen", "hour", "hour_seen", "hour_sum", "last", "level", "odd", "odd_seen", "odd_sum",
        "quiet", "settings", "stray", "trouble", "trouble_ratio", "week",
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
            self.odd, self.odd_seen = [0.0] * HOURS, [0] * HOURS  # shares in trouble, and how many weeks in a row
            self.hour, self.hour_sum, self.odd_sum = -1, [0.0, 0.0], [0.0, 0.0]
            self.last: list[tuple[float, float]] = []
            self.trouble, self.trouble_ratio = 0, 0.0
            self.quiet = [0, 0.0]  # bins since the last event, and how many events were expected in them
            return
        try:
            (self.began, self.level, self.stray, self.week, self.hour_seen, self.day, self.day_seen, self.odd,
             self.odd_seen, self.hour, self.hour_sum, self.odd_sum, last, self.trouble, self.trouble_ratio,
             self.quiet) = state  # fmt: skip
            self.last = [(float(count), float(expected)) for count, expected in last]
            lists = (self.week, self.hour_seen, self.odd, self.odd_seen, self.day, self.day_seen, self.hour_sum,
                     self.odd_sum, self.quiet)  # fmt: skip
            fits = [len(one) for one in lists] == [HOURS, HOURS, HOURS, HOURS, DAY, DAY, 2, 2, 2]
        except (TypeError, ValueError) as why:
            raise ValueError(f"no season: {why}") from why
        if not fits:
            raise ValueError("no season: a profile has another length")

    def dump(self) -> Any:
        """Its numbers."""
        return (self.began, self.level, self.stray, self.week, self.hour_seen, self.day, self.day_seen, self.odd,
                self.odd_seen, self.hour, self.hour_sum, self.odd_sum, self.last, self.trouble, self.trouble_ratio,
                self.quiet)  # fmt: skip

    def copy(self) -> Season:
        """Another of the same state."""
        return Season(self.settings, tuple([*part] if isinstance(part, list) else part for part in self.dump()))

    def steps(self, points: Sequence[Point]) -> list[Verdict | None]:
        """The counts of bins, each judged by those before."""
        return [self.step(point) for point in points]

    def step(self, point: Point) -> Verdict | None:
        """The count of a bin, judged by those before."""
        count = point.value or 0.0
        if self.began is None:
            self.began, self.level = point.second, max(count, LEAST)
        slot, share = self._slot(point.second)
        if slot != self.hour:
            self._learn_hour()
            self.hour = slot
        expected, known = self._expected(slot, share)
        stray = self.stray if known else self.stray + UNSURE
        silent = self._silent(slot, count, expected, stray)
        self.last = [*self.last[1 - SCALES[-1] :], (count, expected)]
        distance = _distance(count, expected, stray)
        verdict = None
        if point.second - self.began >= TWO_DAYS:
            verdict = self._verdict(count, expected, stray, distance)
        if verdict is None and not silent:
            self.trouble, self.trouble_ratio = 0, 0.0
            self._learn(point.second, slot, count, expected, distance)
            return None
        self.odd_sum = [self.odd_sum[0] + count, self.odd_sum[1] + 1.0]
        if verdict is None or self.quiet[0] > self.settings.adapt_bins or self._came_before(slot, count, stray):
            return None
        self._adapt(count, expected)
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

    def _silent(self, slot: int, count: float, expected: float, stray: float) -> bool:
        """Whether nothing has come for too long to be chance, at hours of which it is known that something comes."""
        if count or not self.day_seen[slot % DAY]:
            if self.quiet[0] > self.settings.adapt_bins:  # what comes after it is trouble of its own
                self.trouble, self.trouble_ratio = 0, 0.0
            self.quiet = [0, 0.0]
            return False
        self.quiet = [self.quiet[0] + 1, self.quiet[1] + expected]
        return _distance(0.0, self.quiet[1], stray) <= -self.settings.sensitivity

    def _came_before(self, slot: int, count: float, stray: float) -> bool:
        """Whether it is as in the weeks before, which were out of the way at this hour as well."""
        if self.odd_seen[slot] < self._weeks_odd(slot):
            return False
        return abs(_distance(count, self.odd[slot] * self.level, stray + UNSURE)) < self.settings.sensitivity

    def _weeks_odd(self, slot: int) -> int:
        """So many weeks in a row are news; one more is usual."""
        return 2 if self.hour_seen[slot] else 1

    def _adapt(self, count: float, expected: float) -> None:
        """Trouble that has lasted long enough is the new level, unless nothing comes at all, or nothing is due."""
        if expected <= DEAD * self.level:
            return
        ratio = (count + 0.1) / (expected + 0.1)
        self.trouble += 1
        self.trouble_ratio += (ratio - self.trouble_ratio) / min(self.trouble, self.settings.adapt_bins)
        if self.trouble >= self.settings.adapt_bins > self.quiet[0]:
            self.level = max(LEAST, self.level * self.trouble_ratio)
            self.trouble, self.trouble_ratio = 0, 0.0

    def _learn(self, second: int, slot: int, count: float, expected: float, distance: float) -> None:
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
        weight = STRAY_WEIGHT * min(1.0, expected)  # where nothing is due, nothing strays
        self.stray = min(STRAY[2], max(STRAY[0], self.stray * math.exp(weight * (square - 0.9))))
        self.hour_sum = [self.hour_sum[0] + clipped, self.hour_sum[1] + 1.0]

    def _learn_hour(self) -> None:
        """An hour is learned once it is over: the mean of its bins, as a share of the level."""
        slot, level = self.hour, max(self.level, LEAST)
        (usual, bins), (odd, odd_bins) = self.hour_sum, self.odd_sum
        self.hour_sum, self.odd_sum = [0.0, 0.0], [0.0, 0.0]
        if odd_bins > bins:
            self._learn_odd(slot, odd / odd_bins / level)
        elif bins:
            self.odd_seen[slot] = 0
            _follow(self.week, self.hour_seen, slot, usual / bins / level, HOUR_WEIGHT)
            _follow(self.day, self.day_seen, slot % DAY, usual / bins / level, DAY_WEIGHT)

    def _learn_odd(self, slot: int, share: float) -> None:
        """An hour that was out of the way: what comes back every week at the same hour belongs to the season."""
        low, high = sorted((share, self.odd[slot]))
        again = self.odd_seen[slot] > 0 and (high < DEAD or high <= low * (1 + PLAIN))
        if again and self.odd_seen[slot] >= self._weeks_odd(slot):
            self.week[slot], self.hour_seen[slot], self.odd_seen[slot] = share, 1, 0
            return
        self.odd[slot] = share
        self.odd_seen[slot] = self.odd_seen[slot] + 1 if again else 1


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
