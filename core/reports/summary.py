"""What changed, in words: every sentence is computed from the figures of a report and of the time before it."""

from __future__ import annotations

from collections.abc import Iterable

from ...plugins.errors import QueryError
from ..query.parser import parse
from ..query.tree import Call, Query
from .figures import Category, categories, number_of, number_text, series_of
from .gather import Gathered, Rows, Shown

MOST_PATTERNS = 3  # that are named
MOVERS = 3  # that are named of a panel
LEAST_CHANGE = 0.1  # a tenth: less is told of a total, and of nobody as a mover
_LONGEST = 120  # characters of a pattern
_CUTTING = frozenset({"top", "rare", "patterns", "limit", "tail", "sample"})  # stages that leave out who is beyond
_COUNTING = frozenset({"count", "countif", "sum"})
_OTHERS = "other"  # the series of a `timechart` in which those are that it leaves out


def summary(gathered: Gathered) -> list[str]:
    """Sentences: totals against the time before, what moved most, patterns that are new. At least one."""
    told = [sentence for shown in gathered.panels if (sentence := _total(shown)) is not None]
    moved = {movers: shown.panel.title for shown in reversed(gathered.panels) if (movers := _movers(shown)) is not None}
    told += [f"Moved most in {title}: {movers}." for movers, title in reversed(moved.items())]  # each once
    told += _new_patterns(*gathered.patterns)
    failed = [shown.panel.title for shown in gathered.panels if shown.error is not None]
    if failed:
        told.append(f"Without figures, since their queries failed: {', '.join(failed)}.")
    return told or ["There is nothing to compare: the panels have no numbers."]


def change_words(now: float, before: float) -> str:
    """A change in words.

    >>> change_words(150, 100), change_words(50, 100), change_words(7, 0)
    ('50 % more than before (100)', '50 % less than before (100)', 'none before')
    >>> change_words(5, 5), change_words(1001, 1000), change_words(1200, 100)
    ('as before', 'nearly as before (1,000)', '12 times as much as before (100)')
    """
    if now == before:
        return "as before"
    if before == 0:
        return "none before"
    part = now / before - 1
    if abs(part) < 0.005:
        return f"nearly as before ({number_text(before)})"
    if part > 9:
        return f"{number_text(round(now / before, 1))} times as much as before ({number_text(before)})"
    return f"{abs(part) * 100:.0f} % {'more' if part > 0 else 'less'} than before ({number_text(before)})"


def _total(shown: Shown) -> str | None:
    if shown.panel.kind != "number" or shown.error is not None:
        return None
    now, before = number_of(shown.now), number_of(shown.before)
    if now is None:
        return None
    figure = number_text(now, shown.panel.unit, shown.panel.options.decimals)
    told = "nothing to compare with" if before is None else change_words(now, before)
    return f"{shown.panel.title}: {figure}, {told}."


def _movers(shown: Shown) -> str | None:
    """Who changed most; over time only counted things, since averages have no total."""
    if shown.panel.kind not in ("top", "pie", "bar", "timeseries") or shown.error is not None:
        return None
    query = _parsed(shown.query)
    if series_of(shown.now) is not None and not _is_counted(query):
        return None
    now, before = ({one.name: one.value for one in _named(rows)} for rows in (shown.now, shown.before))
    if len(now) < 2 and len(before) < 2:
        return None
    # Who is not in a list that was cut may be beyond its end; of two lists of one query the shorter one was not cut.
    is_cut = query is None or _OTHERS in now or _OTHERS in before or any(one.name in _CUTTING for one in query.stages)
    names = now.keys() & before.keys()
    names |= now.keys() if not is_cut or len(before) < len(now) else set()
    names |= before.keys() if not is_cut or len(now) < len(before) else set()
    changes = [(name, now.get(name, 0), before.get(name, 0)) for name in names]
    moved = [one for one in changes if abs(one[1] - one[2]) >= max(1, LEAST_CHANGE * one[2])]
    if not moved or not before:
        return None
    moved.sort(key=lambda one: (-abs(one[1] - one[2]), one[0]))
    return "; ".join(f"{_cut(name)} {number_text(n)} ({_short(n, b)})" for name, n, b in moved[:MOVERS])


def _parsed(text: str) -> Query | None:
    """The query; None: it names saved ones, so that what it does is not seen here."""
    try:
        return parse(text)
    except QueryError:
        return None


def _is_counted(query: Query | None) -> bool:
    """Whether the values of spans add up to one of them all, as counts do and averages do not.

    >>> _is_counted(parse("* | timechart count() by x")), _is_counted(parse("* | timechart p95(took), count()"))
    (True, False)
    """
    if query is None:
        return False
    made = [item.node for stage in query.stages for item in getattr(stage, "aggregates", ())]
    return all(isinstance(node, Call) and node.name in _COUNTING for node in made)


def _named(rows: Rows) -> Iterable[Category]:
    series = series_of(rows)
    if series is None:
        return categories(rows)
    return [Category(name, sum(value or 0 for value in values)) for name, values in series.values.items()]


def _short(now: float, before: float) -> str:
    if before == 0:
        return "new"
    return "gone" if now == 0 else f"{(now / before - 1) * 100:+.0f} %"


def _new_patterns(now: Rows, before: Rows) -> list[str]:
    known = {str(row[0]) for row in before.rows}
    fresh = [(str(row[0]), row[1]) for row in now.rows if str(row[0]) not in known]
    if not fresh:
        return ["No new patterns of warnings and errors."] if now.rows else []
    listed = "; ".join(f"“{_cut(pattern)}” ({number_text(count)} times)" for pattern, count in fresh[:MOST_PATTERNS])
    more = f"; and {len(fresh) - MOST_PATTERNS} more" if len(fresh) > MOST_PATTERNS else ""
    noun = "pattern" if len(fresh) == 1 else "patterns"
    return [f"{len(fresh)} new {noun} of warnings and errors: {listed}{more}."]


def _cut(text: str) -> str:
    line = " ".join(text.strip().partition("\n")[0].split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
