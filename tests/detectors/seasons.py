"""Made-up counts with seasons, and the surges and drops in them: what the surge detector is measured on.

A series has a rate per bin that follows the hours of a day and the days of a week of its time zone, grows or shrinks
slowly, and is that of a Sunday on holidays. Counts are drawn from a gamma-Poisson mixture around it. Trouble lasts one
to four hours: a surge of 2 to 6 times the rate, a drop to a third of it or less, or a gap, in which nothing comes. On
request there are weekends without any event, and outages of up to three days in what is learned from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

BIN_S = 600
LEARNED_DAYS, JUDGED_DAYS = 28, 30
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


@dataclass(frozen=True)
class Made:
    """A series: where its bins begin (seconds since the epoch), their counts, and the trouble in it."""

    zone: ZoneInfo
    holidays: tuple[date, ...]
    seconds: tuple[int, ...]
    counts: tuple[int, ...]
    trouble: tuple[tuple[int, int, str], ...]
    """(first bin, last bin, up or down)."""
    judged: int
    """The bin from which on trouble may be, and is looked for."""


def made(seed: int, *, trouble: bool = True, outages: bool = False, closed: bool = False) -> Made:
    """The series of a seed: 28 days to learn, then 30 that are judged, over one change of the clocks.

    `outages`: in one or two spans of the days to learn, nothing came. `closed`: nothing comes on weekends and holidays.
    """
    random = np.random.default_rng(seed)
    zone = ZoneInfo(ZONES[seed % len(ZONES)])
    # Both changes of the clocks of 2026, in Europe and in America, lie in the days that are judged.
    begin = datetime(2026, 2, 12, tzinfo=UTC) if seed % 2 else datetime(2026, 9, 24, tzinfo=UTC)
    days = LEARNED_DAYS + JUDGED_DAYS
    bins = days * 86_400 // BIN_S
    first = int(begin.timestamp())
    seconds = np.arange(bins) * BIN_S + first
    local = [datetime.fromtimestamp(int(second), UTC).astimezone(zone) for second in seconds]
    free = tuple(sorted((begin + timedelta(days=int(day))).date() for day in random.integers(2, days, 3)))
    mean = float(np.exp(random.uniform(np.log(15), np.log(3000))))
    depth, peak = random.uniform(0.3, 0.8), random.uniform(10, 19)
    weekend = random.uniform(0.3, 1.1) * (not closed)
    growth = random.uniform(-0.1, 0.2) / (7 * 86_400 // BIN_S)
    hours = np.array([moment.hour + moment.minute / 60 for moment in local])
    rate = mean * (1 + depth * np.cos((hours - peak) / 24 * 2 * np.pi))
    sunday = np.array([moment.weekday() >= 5 or moment.date() in free for moment in local])
    rate = np.where(sunday, rate * weekend, rate) * (1 + growth) ** np.arange(bins)
    spans = tuple(_spans(random, rate, LEARNED_DAYS * 86_400 // BIN_S)) if trouble else ()
    for begin_bin, end_bin, direction in spans:
        if direction == "up":
            factor = random.uniform(2, 6)
        else:
            factor = 0.0 if random.random() < 0.3 else random.uniform(0.0, 1 / 3)
        rate[begin_bin : end_bin + 1] *= factor
    noise = random.uniform(0.02, 0.15)
    counts = random.poisson(rate * random.gamma(1 / noise**2, noise**2, bins))
    for at, length in _outages(random) if outages else ():
        counts[at : at + length] = 0
    return Made(zone, free, tuple(map(int, seconds)), tuple(map(int, counts)), spans, LEARNED_DAYS * 86_400 // BIN_S)


def _spans(random: np.random.Generator, rate: np.ndarray, first: int) -> Iterator[tuple[int, int, str]]:
    """Six spans, at least a day apart; drops where at least 20 events a bin are due, for fewer are no loss to see."""
    day = 86_400 // BIN_S
    for number in range(6):
        at = first + number * 5 * day + int(random.integers(0, 3 * day))
        last = at + int(random.integers(3_600 // BIN_S, 4 * 3_600 // BIN_S + 1)) - 1
        down = rate[at : last + 1].min() >= 20 and random.random() < 0.5
        if rate[at : last + 1].min() > 0:  # nothing times six is nothing
            yield at, last, "down" if down else "up"


def _outages(random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """(first bin, bins): from an hour to three days, in the weeks that are learned from, after the first."""
    day = 86_400 // BIN_S
    for begin in range(7, 7 + 14 * int(random.integers(1, 3)), 14):
        yield begin * day + int(random.integers(0, 4 * day)), int(random.integers(day // 24, 3 * day))
