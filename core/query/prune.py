"""Which segments a query needs: pure, over what the catalog knows. In doubt a segment is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..storage.segment import FieldColumn, Segment
from . import literals
from .scope import ALIASES, INTERNAL_COLUMNS, STANDARD_KINDS, TEMPLATE, Context, Schema, field_of
from .severity import severity_range
from .terms import GLOB, network_of
from .tree import (
    And,
    Bare,
    Compare,
    Constant,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    In,
    Name,
    Node,
    Number,
    Or,
    Regex,
    Text,
    Word,
)  # fmt: skip

Span = tuple[int | None, int | None]
"""Nanoseconds, end exclusive; None: open."""


@dataclass(frozen=True)
class Bounds:
    """What the request says besides its text: times (end exclusive) and positions (after < position <= upto)."""

    from_ns: int | None = None
    to_ns: int | None = None
    after_position: int | None = None
    upto_position: int | None = None

    def covers_time(self, segment: Segment) -> bool:
        """Whether every row of the segment is in the time range."""
        return (self.from_ns is None or segment.min_time >= self.from_ns) and (
            self.to_ns is None or segment.max_time < self.to_ns
        )

    def meets_time(self, segment: Segment) -> bool:
        """Whether a row of the segment can be in the time range."""
        return (self.from_ns is None or segment.max_time >= self.from_ns) and (
            self.to_ns is None or segment.min_time < self.to_ns
        )

    def back(self, shift_ns: int) -> Bounds:
        """The range that lies this much earlier."""
        return replace(
            self,
            from_ns=None if self.from_ns is None else self.from_ns - shift_ns,
            to_ns=None if self.to_ns is None else self.to_ns - shift_ns,
        )

    def covers_positions(self, segment: Segment) -> bool:
        """Whether every row of the segment is in the range of positions."""
        return (self.after_position is None or segment.min_position > self.after_position) and (
            self.upto_position is None or segment.max_position <= self.upto_position
        )

    def covers(self, segment: Segment) -> bool:
        """Whether every row of the segment is in both ranges."""
        return self.covers_time(segment) and self.covers_positions(segment)


def reason_to_skip(
    segment: Segment, conditions: Sequence[Node], bounds: Bounds, schema: Schema, context: Context
) -> str | None:
    """Why no row of the segment can be in the answer; None: it must be read."""
    if not bounds.meets_time(segment):
        return "time range"
    if (bounds.after_position is not None and segment.max_position <= bounds.after_position) or (
        bounds.upto_position is not None and segment.min_position > bounds.upto_position
    ):
        return "positions"
    return next((reason for node in conditions if (reason := impossible(node, segment, schema, context))), None)


def impossible(node: Node, segment: Segment, schema: Schema, context: Context) -> str | None:
    """Why no row of the segment can satisfy the condition; None: some may."""
    match node:
        case And(items=items):
            return next((reason for item in items if (reason := impossible(item, segment, schema, context))), None)
        case Or(items=items):
            reasons = [impossible(item, segment, schema, context) for item in items]
            return reasons[0] if reasons and all(reasons) else None
        case Constant(value=value):
            return None if value else "never true"
        case Word() | Text() | Regex():
            return None if segment.kinds("message") else "no message"
        case FieldCompare(field=field, op=op, value=value):
            return field_impossible(field, op, value, segment, schema, context)
        case FieldRange(field=field, low=low, high=high):
            return field_impossible(field, ">=", low, segment, schema, context) or field_impossible(
                field, "<=", high, segment, schema, context
            )
        case FieldMatches(field=field) | FieldContains(field=field) | FieldPresent(field=field):
            return None if columns_of(field.name, segment, schema) else f"no field {field.name}"
        case Compare(op=op, left=Name() as field, right=Number(value=number)) if op in (
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
        ):
            return field_impossible(field, op, Bare(repr(number)), segment, schema, context)
        case Compare(op=op, left=Name() as field, right=Name(name=word)) if is_level(field, word, schema):
            return field_impossible(field, op, Bare(word), segment, schema, context)
        case In(item=Name() as field, values=values):
            return impossible(Or(tuple(Compare("=", field, value) for value in values)), segment, schema, context)
        case Compare(op=op, left=Name() as field, right=Text() as text) if op in ("=", "!=", "<", "<=", ">", ">="):
            return field_impossible(field, op, text, segment, schema, context)
    return None


def is_level(field: Name, word: str, schema: Schema) -> bool:
    """Whether a bare word beside a field is a level, and no field itself."""
    known = word in schema or word in STANDARD_KINDS
    return meaning(field.name, schema) == "severity" and not known and severity_range(word) is not None


def meaning(name: str, schema: Schema) -> str:
    """The field that a name means, aliases resolved as in `scope.find`."""
    if name in schema or name in STANDARD_KINDS:
        return name
    return "severity" if name == "severity_number" else ALIASES.get(name, name)


def columns_of(name: str, segment: Segment, schema: Schema) -> tuple[FieldColumn, ...]:
    """The columns of the field that a name means in this segment; of an attribute also the one it may overflow into."""
    field = meaning(name, schema)
    if field == TEMPLATE:
        kept = tuple(column for column in segment.columns if field_of(column) == field)
        return kept or segment.kinds("message")  # where they are not kept, they are made of the message
    columns = tuple(column for column in segment.kinds(field) if column.column not in INTERNAL_COLUMNS)
    if field in STANDARD_KINDS or segment.overflow is None:
        return columns
    return (*columns, segment.overflow)


def field_impossible(
    field: Name, op: str, literal: Bare | Text, segment: Segment, schema: Schema, context: Context
) -> str | None:
    """Why no row can have `field op literal`."""
    name = meaning(field.name, schema)
    columns = columns_of(field.name, segment, schema)
    if not columns:
        return f"no field {field.name}"
    if name == TEMPLATE and op in (":", "=", "!="):
        return None  # it is looked for in the message
    kinds = {column.kind for column in columns}
    if is_glob(op, literal):
        return None
    number = literals.number(literal.text)
    if name == "severity" and kinds == {"severity"} and op != "!=":
        span = (
            severity_range(literal.text.strip())
            if field.name != "severity_number"
            else (number, number)
            if isinstance(number, int)
            else None
        )
        return None if span is None or levels_match(segment.severities, op, span) else "severity"
    if name == "timestamp":
        times = literals.time_ns(literal.text, context.now_ns, context.zone)
        return None if times is None or time_matches(segment, op, times) else "time"
    listed = {"service": segment.services, "host": segment.hosts}.get(name)
    if listed is not None and is_one_text(op, literal):
        return None if literal.text in listed else name
    if isinstance(literal, Bare) and number is not None and kinds <= {"int", "float"} and op != "!=":
        return None if any(number_matches(column, op, number) for column in columns) else f"values of {field.name}"
    return None


def is_glob(op: str, literal: Bare | Text) -> bool:
    """Whether the literal stands for many texts."""
    return op == ":" and not (isinstance(literal, Text) and literal.exact) and bool(GLOB.search(literal.text))


def is_one_text(op: str, literal: Bare | Text) -> bool:
    """Whether a text fits `op literal` only where it is the literal, character by character.

    >>> [is_one_text(":", literal) for literal in (Bare("web"), Text("5"), Bare("5"), Bare("w*"), Bare("10.0.0.0/8"))]
    [True, True, False, False, False]
    """
    if op not in (":", "=") or is_glob(op, literal) or literals.size(literal.text) is not None:
        return False
    is_network = op == ":" and network_of(literal.text) is not None
    return not is_network and (isinstance(literal, Text) or literals.number(literal.text) is None)


def levels_match(mask: int, op: str, span: tuple[int, int]) -> bool:
    """Whether a level of the segment satisfies the comparison.

    >>> levels_match(1 << 9 | 1, ">=", (13, 16)), levels_match(1 << 17, ">=", (13, 16))
    (False, True)
    """
    low, high = span
    tests = {":": range(low, high + 1), "=": range(low, high + 1), ">=": range(low, 256), ">": range(high + 1, 256),
             "<=": range(1, high + 1), "<": range(1, low)}  # fmt: skip
    return any(mask >> number & 1 for number in tests[op] if number > 0) or (0 in tests[op] and bool(mask & 1))


def time_matches(segment: Segment, op: str, span: tuple[int, int]) -> bool:
    """Whether a time of the segment can satisfy the comparison."""
    start, length = span
    return {
        ":": segment.max_time >= start and segment.min_time <= start + length,
        "=": segment.max_time >= start and segment.min_time <= start + length,
        ">": segment.max_time > start, ">=": segment.max_time >= start,
        "<": segment.min_time < start, "<=": segment.min_time <= start,
    }.get(op, True)  # fmt: skip


def number_matches(column: FieldColumn, op: str, number: int | float) -> bool:
    """Whether a value between the column's bounds can satisfy the comparison; without bounds: yes."""
    low, high = column.min, column.max
    if low is None or high is None:
        return True
    return {":": low <= number <= high, "=": low <= number <= high, ">": high > number, ">=": high >= number,
            "<": low < number, "<=": low <= number}.get(op, True)  # fmt: skip


def time_span(conditions: Sequence[Node], schema: Schema, context: Context) -> Span:
    """The times between which rows can lie, by conditions that must all hold."""
    low: int | None = None
    high: int | None = None
    heap = list(conditions)
    while heap:
        node = heap.pop()
        tests: list[tuple[Name, str, Bare | Text]] = []
        match node:
            case And(items=items):
                heap += items
            case FieldCompare(field=field, op=op, value=value):
                tests = [(field, op, value)]
            case FieldRange(field=field, low=first, high=last):
                tests = [(field, ">=", first), (field, "<=", last)]
        for field, op, value in tests:
            if (
                meaning(field.name, schema) != "timestamp"
                or (span := literals.time_ns(value.text, context.now_ns, context.zone)) is None
            ):
                continue
            start, length = span
            if op in (">", ">=", ":", "="):
                low = start if low is None else max(low, start)
            if op in ("<", "<=", ":", "="):
                end = start + {"<": 0, "<=": 1}.get(op, max(length, 1))
                high = end if high is None else min(high, end)
    return low, high
