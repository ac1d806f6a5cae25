"""Charts as SVG inside the page: no script, no other file, the same on screen, in a mail and in a PDF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from html import escape
from zoneinfo import ZoneInfo

from ...plugins.severity import WORDS
from .figures import Category, Series, number_text

COLOURS = ("#3f86be", "#eba91f", "#1b6b50", "#6f2a84", "#cf3f26", "#97a3b0", "#7a4a10", "#a02c5b", "#5b8c2a", "#221d16")
LEVELS = {"fatal": "#6f2a84", "error": "#cf3f26", "warn": "#eba91f", "info": "#3f86be", "debug": "#97a3b0",
          "trace": "#c5cbd1"}  # fmt: skip
_ORDER = list(LEVELS)
INK, LINE = "#665e51", "#e3ddd1"
_LEFT, _BOTTOM, _TOP, _RIGHT = 46, 18, 6, 6


def colour_of(name: str, at: int) -> str:
    """A level has its own colour, every other name one by its place."""
    level = name.lower().rstrip("234")
    return LEVELS[level] if level in LEVELS and level in WORDS else COLOURS[at % len(COLOURS)]


def chart(series: Series, width: int, height: int, look: str, zone: ZoneInfo, label: str) -> str:
    """Series over time: `look` is lines, areas (on top of each other) or bars (likewise)."""
    names = _stacked(series) if look != "lines" else list(series.values)
    sums = [0.0] * len(series.times)
    drawn: list[tuple[str, list[float | None]]] = []
    for name in names:
        values = series.values[name]
        if look == "lines":
            drawn.append((name, values))
        else:
            sums = [total + (value or 0) for total, value in zip(sums, values, strict=True)]
            # A bar of nothing would be a copy of the one below it.
            drawn.append((name, [total if value or look == "areas" else None
                                 for total, value in zip(sums, values, strict=True)]))  # fmt: skip
    top = _nice(max((value or 0 for _, values in drawn for value in values), default=1))
    box = _Box(width, height, len(series.times), top, bars=look == "bars")
    colours = {name: colour_of(name, at) for at, name in enumerate(series.values)}
    shapes = [box.shape(values, colours[name], look) for name, values in reversed(drawn)]
    return _svg(width, height, label, [*box.grid(), *shapes, *box.times(series, zone)])


def ring(found: Sequence[Category], colours: Sequence[str], size: int, label: str) -> str:
    """Parts of a whole."""
    total = sum(one.value for one in found) or 1
    radius, round_, parts, done = size * 0.39, 2 * math.pi * size * 0.39, [], 0.0
    for one, colour in zip(found, colours, strict=True):
        length = one.value / total * round_
        parts.append(
            f'<circle cx="{size / 2}" cy="{size / 2}" r="{radius:.1f}" fill="none" stroke="{colour}" '
            f'stroke-width="{size * 0.15:.1f}" stroke-dasharray="{max(0.0, length - 0.6):.2f} {round_:.2f}" '
            f'stroke-dashoffset="{-done:.2f}" transform="rotate(-90 {size / 2} {size / 2})"/>'
        )
        done += length
    return _svg(size, size, label, parts)


def heat(series: Series, width: int, label: str, zone: ZoneInfo) -> str:
    """A row a series, a cell a time, the darker the more; shades follow the root."""
    most = max((value or 0 for values in series.values.values() for value in values), default=0) or 1
    row, left = 18, 96
    step = (width - left - _RIGHT) / max(1, len(series.times))
    parts = []
    for line, (name, values) in enumerate(series.values.items()):
        y = line * row
        parts.append(_text(left - 6, y + 12, _cut(name, 15), anchor="end"))
        for at, value in enumerate(values):
            shade = _shade(max(0, value) / most) if value else "#edeae3"
            parts.append(
                f'<rect x="{left + at * step:.2f}" y="{y}" width="{max(0.5, step - 0.6):.2f}" height="{row - 2}" '
                f'fill="{shade}"/>'
            )
    height = len(series.values) * row + 16
    parts += [
        _text(left + at * step, height - 3, _clock(series, at, zone), anchor="start")
        for at in range(0, len(series.times), max(1, len(series.times) // 5))
        if left + at * step < width - 30
    ]
    return _svg(width, height, label, parts)


def _shade(part: float) -> str:
    """Opaque, since cells that are seen through get darker where they touch.

    >>> _shade(0), _shade(1)
    ('#e4ece6', '#1b6b50')
    """
    weight = 0.12 + 0.88 * math.sqrt(part)
    paper, full = (255, 254, 251), (27, 107, 80)
    return "#" + "".join(f"{round(a + (b - a) * weight):02x}" for a, b in zip(paper, full, strict=True))


class _Box:
    """The plane of a chart: from values to places on it."""

    def __init__(self, width: int, height: int, count: int, top: float, *, bars: bool) -> None:
        self.width, self.height, self.count, self.top, self.bars = width, height, count, top, bars
        self.wide, self.high = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def x(self, at: int) -> float:
        slots = self.count if self.bars else max(1, self.count - 1)
        return _LEFT + at * self.wide / slots

    def y(self, value: float) -> float:
        return _TOP + self.high * (1 - max(0.0, value) / self.top)

    def shape(self, values: Sequence[float | None], colour: str, look: str) -> str:
        if look == "bars":
            wide = self.wide / self.count
            return "".join(
                f'<rect x="{self.x(at):.1f}" y="{self.y(value):.1f}" width="{max(0.5, wide - 1):.1f}" '
                f'height="{_TOP + self.high - self.y(value):.1f}" fill="{colour}"/>'
                for at, value in enumerate(values)
                if value
            )
        runs: list[list[str]] = [[]]
        for at, value in enumerate(values):
            if value is None:
                runs.append([])
            else:
                runs[-1].append(f"{self.x(at):.1f},{self.y(value):.1f}")
        if look == "areas":
            points = " ".join(runs[-1])
            floor = _TOP + self.high
            edge = f"{self.x(self.count - 1):.1f},{floor} {self.x(0):.1f},{floor}"
            return f'<polygon points="{points} {edge}" fill="{colour}"/>'
        return "".join(
            f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            for run in runs
            if len(run) > 1
        )

    def grid(self) -> list[str]:
        parts = []
        for part in (0, 0.5, 1):
            y = self.y(self.top * part)
            parts.append(f'<line x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINE}"/>')
            parts.append(_text(_LEFT - 5, y + 3, number_text(self.top * part), anchor="end"))
        return parts

    def times(self, series: Series, zone: ZoneInfo) -> list[str]:
        step = max(1, round(self.count / max(2, self.wide // 90)))
        return [
            _text(self.x(at), self.height - 4, _clock(series, at, zone), anchor="start")
            for at in range(0, self.count, step)
            if self.x(at) < self.width - 34
        ]


def _stacked(series: Series) -> list[str]:
    """From the axis up: severe levels first, else the largest first."""

    def place(name: str) -> tuple[int, float]:
        level = name.lower().rstrip("234")
        rank = _ORDER.index(level) if level in LEVELS else len(_ORDER)
        return rank, -sum(value or 0 for value in series.values[name])

    return sorted(series.values, key=place)


def _nice(value: float) -> float:
    """The next number above whose half is round as well.

    >>> _nice(0), _nice(37), _nice(1200), _nice(0.3)
    (1.0, 40.0, 2000.0, 0.4)
    >>> _nice(215), _nice(430), _nice(3)
    (300.0, 500.0, 4.0)
    """
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1, 2, 3, 4, 5, 6, 8, 10) if power >= 10 else (1, 2, 4, 6, 8, 10)  # half an event is no mark of an axis
    return float(next(step * power for step in steps if step * power >= value * 0.999999))


def _clock(series: Series, at: int, zone: ZoneInfo) -> str:
    span = series.times[-1] - series.times[0]
    return f"{series.times[at].astimezone(zone):{'%H:%M' if span < timedelta(days=2) else '%d %b'}}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="9" fill="{INK}" text-anchor="{anchor}">{escape(text)}</text>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'{head} role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
