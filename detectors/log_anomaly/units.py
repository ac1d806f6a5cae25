"""Units, which are what is judged: a session or a window of a group, as counts and times of its kinds of messages.

Rows of a query come in by bins that follow each other. A window is over with its bin. A session is over when nothing
came for the gap, or when it has lasted the longest; what comes for it later is another one. No bin of a session is
longer than the gap, so the row's first and last times tell exactly where a gap was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

MOST_OPEN = 1_000  # sessions that are kept while they last; of more, those that began first are taken for over
MOST_KINDS = 200  # of messages in a unit that count; a unit with more holds documents


@dataclass(frozen=True, slots=True)
class Row:
    """Messages of one kind in one bin of one unit; times in nanoseconds since the epoch."""

    bin_ns: int
    group: str
    unit: str
    form: str
    count: int
    first_ns: int
    last_ns: int


class Unit(msgspec.Struct, array_like=True):
    """Its kinds of messages: form → [count, first time, last time], and when it began and ended, in nanoseconds."""

    group: str
    name: str
    """The values of the session's fields as a JSON array; of a window an empty one."""
    first_ns: int
    last_ns: int
    forms: dict[str, tuple[int, int, int]]

    def add(self, row: Row) -> None:
        """Take a row in."""
        self.first_ns, self.last_ns = min(self.first_ns, row.first_ns), max(self.last_ns, row.last_ns)
        old = self.forms.get(row.form)
        if old is not None:
            self.forms[row.form] = (old[0] + row.count, min(old[1], row.first_ns), max(old[2], row.last_ns))
        elif len(self.forms) < MOST_KINDS:
            self.forms[row.form] = (row.count, row.first_ns, row.last_ns)

    def marks(self) -> list[str]:
        """Its kinds in the order in which each came first, and once more where its last one came, if there were two.

        What comes at one and the same time is in the order of its text.
        """
        begins = [(first, 0, form) for form, (_, first, _) in self.forms.items()]
        ends = [(last, 1, form) for form, (count, _, last) in self.forms.items() if count > 1]
        return [form for _, _, form in sorted(begins + ends)]

    def copy(self) -> Unit:
        """Another that grows by itself."""
        return Unit(self.group, self.name, self.first_ns, self.last_ns, dict(self.forms))


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a unit is over. Windows: `gap_ns` is 0, `longest_ns` the bin."""

    gap_ns: int
    longest_ns: int


class Openings:
    """The units that are not over yet."""

    def __init__(self, bounds: Bounds, units: Iterable[Unit] = ()) -> None:
        self._bounds = bounds
        self._open = {(unit.group, unit.name): unit for unit in units}

    def units(self) -> list[Unit]:
        """Those that are open."""
        return list(self._open.values())

    def copy(self) -> Openings:
        """Others that go on by themselves."""
        return Openings(self._bounds, [unit.copy() for unit in self._open.values()])

    def add(self, rows: Iterable[Row], until_ns: int) -> list[Unit]:
        """The units that are over by `until_ns`, in the order of their ends, with these rows, which follow the last."""
        over: list[Unit] = []
        for row in sorted(rows, key=lambda row: (row.bin_ns, row.group, row.unit, row.first_ns, row.form)):
            key = (row.group, row.unit)
            unit = self._open.get(key)
            if unit is not None and self._closes(unit) < row.first_ns:
                over.append(self._open.pop(key))
                unit = None
            if unit is None:
                unit = self._open[key] = Unit(row.group, row.unit, row.first_ns, row.last_ns, {})
            unit.add(row)
        over += [self._open.pop(key) for key, unit in list(self._open.items()) if self._closes(unit) < until_ns]
        oldest = sorted(self._open, key=lambda key: (self._open[key].first_ns, key))
        over += [self._open.pop(key) for key in oldest[: max(0, len(oldest) - MOST_OPEN)]]
        return sorted(over, key=lambda unit: (self._closes(unit), unit.group, unit.name))

    def _closes(self, unit: Unit) -> int:
        """The last moment at which an event would still belong to it."""
        gap, longest = self._bounds.gap_ns, self._bounds.longest_ns
        if not gap:
            return (unit.first_ns // longest + 1) * longest - 1
        return min(unit.last_ns + gap, unit.first_ns + longest)
