"""From rows to what is drawn and told, as the page of a dashboard does it: numbers, categories and series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from ...plugins import iso_ns
from ..alerting.records import to_datetime
from .gather import Rows

MOST_SERIES = 20
_MEASURES = {"count", "n", "share", "total", "percent"}


@dataclass(frozen=True, slots=True)
class Category:
    """A value with its name; `share` is a part of 1, where the query gives it."""

    name: str
    value: float
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time: `values[name][i]` at `times[i]`, None where there is no row."""

    times: tuple[datetime, ...]
    values: dict[str, list[float | None]]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(rows: Rows) -> float | None:
    """The first number of the first row."""
    return next((value for value in rows.rows[0] if is_number(value)), None) if rows.rows else None


def measures(rows: Rows) -> list[int]:
    """The columns that measure: numbers, but for a leading one that only others stand behind (a status, a port)."""
    found = [at for at in range(len(rows.columns)) if _is_numbers([row[at] for row in rows.rows])]
    leads = len(found) > 1 and len(found) == len(rows.columns) and rows.columns[0] not in _MEASURES
    return found[1:] if leads else found


def categories(rows: Rows) -> list[Category]:
    """A row a category: the first measure is its value, what is no measure its name."""
    numbers = measures(rows)
    share = rows.columns.index("share") if "share" in rows.columns else -1
    at = next((one for one in numbers if one != share), None)
    if at is None:
        return []
    named = [one for one in range(len(rows.columns)) if one not in numbers]
    found = []
    for row in rows.rows:
        if is_number(row[at]):
            name = " · ".join(words(row[one]) or "none" for one in named) or rows.columns[at]
            part = row[share] if share >= 0 and is_number(row[share]) else None
            found.append(Category(name, row[at], part))
    return found


def series_of(rows: Rows) -> Series | None:
    """The series of a `timechart`; None: the rows are of none."""
    if not rows.rows or rows.columns[0] != "time":
        return None
    rest = range(1, len(rows.columns))
    numbers = [at for at in rest if _is_numbers([row[at] for row in rows.rows])]
    keys = [at for at in rest if at not in numbers]
    if not numbers:
        return None
    while len(numbers) > 1 and _is_twice(rows, [0, *keys]):  # `by status`
        keys.append(numbers.pop(0))
    times = sorted({row[0] for row in rows.rows if isinstance(row[0], str)})
    index = {time: at for at, time in enumerate(times)}
    found: dict[str, list[float | None]] = {}
    for row in rows.rows:
        if row[0] not in index:
            continue
        key = " · ".join(words(row[at]) or "none" for at in keys)
        for at in numbers:
            name = rows.columns[at] if not keys else key if len(numbers) == 1 else f"{key} · {rows.columns[at]}"
            values = found.setdefault(name, [None] * len(times))
            values[index[row[0]]] = row[at] if is_number(row[at]) else None
    shown = dict(list(found.items())[:MOST_SERIES])
    return Series(tuple(to_datetime(iso_ns(time)) for time in times), shown)


def _is_twice(rows: Rows, columns: Sequence[int]) -> bool:
    """Whether two rows have the same values in these columns: then something else tells them apart."""
    return len({tuple(str(row[at]) for at in columns) for row in rows.rows}) < len(rows.rows)


def words(value: Any) -> str:
    """A JSON value as text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else number_text(value) if is_number(value) else str(value)


def number_text(value: float, unit: str = "", decimals: int | None = None) -> str:
    """A number as people read it.

    >>> number_text(13939), number_text(4.2849, "%", 2), number_text(2345678), number_text(0.5)
    ('13,939', '4.28 %', '2.35 M', '0.5')
    """
    size, suffix = next(((s, t) for s, t in ((1e9, " B"), (1e6, " M")) if abs(value) >= s), (1.0, ""))
    if size > 1:
        text = f"{value / size:,.2f}".rstrip("0").rstrip(".")
    elif decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif float(value).is_integer():
        text = f"{int(value):,}"
    else:
        text = f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}{suffix}{f' {unit}' if unit else ''}"


def _is_numbers(values: Sequence[Any]) -> bool:
    return any(is_number(value) for value in values) and all(value is None or is_number(value) for value in values)
