"""The tree of a LogQL expression: frozen values.

Log ─ selector: tuple[Matcher]        which streams
    └ stages: tuple[LogStage]         what their lines must be, and what is taken out of them
RangeOf, Aggregated, Binary, Literal, VectorOf, Replaced   expressions over series
"""

from __future__ import annotations

from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

from ...plugins import QueryError

MAX_LENGTH = 20_000  # characters; Loki itself takes 5,120 unless told otherwise
MAX_DEPTH = 40  # parentheses and operators within one another


class LogQLError(QueryError):
    """What is wrong with an expression, and where."""


def unsupported(what: str, hint: str = "") -> LogQLError:
    """The error for what LogQL has and Cordwood does not do.

    >>> unsupported("| unpack").message
    'not supported: | unpack'
    """
    return LogQLError(f"not supported: {what}", hint=hint)


# ---- logs -----------------------------------------------------------------------------------------------------------


class Matcher(msgspec.Struct, frozen=True):
    """`label="value"`; op is one of = != =~ !~."""

    label: str
    op: str
    value: str


class NumberTest(msgspec.Struct, frozen=True):
    """`label > 5`, `label > 250ms`, `label > 20KB`: durations in seconds, sizes in bytes; `unit` says which.

    `typed` is how the value was written.
    """

    label: str
    op: str
    value: float
    unit: OneOf["", "duration", "bytes"]
    typed: str


class IpTest(msgspec.Struct, frozen=True):
    """`label = ip("10.0.0.0/8")`; op is = or !=."""

    label: str
    op: str
    network: str


class Both(msgspec.Struct, frozen=True):
    """All of them."""

    items: tuple[LabelTest, ...]


class Either(msgspec.Struct, frozen=True):
    """Any of them."""

    items: tuple[LabelTest, ...]


LabelTest: TypeAlias = Matcher | NumberTest | IpTest | Both | Either


class LineFilter(msgspec.Struct, frozen=True):
    """`|= "a" or "b"`; op is one of |= |~ |> != !~ !>. Of `ip(…)` only the text is here, and `ips` says so."""

    op: str
    values: tuple[str, ...]
    ips: bool = False


class Extraction(msgspec.Struct, frozen=True):
    """`label="expression"` behind json or logfmt."""

    label: str
    path: str


class Parser(msgspec.Struct, frozen=True):
    """json, logfmt, regexp, pattern or unpack; `text` is the expression of the two in the middle."""

    kind: str
    text: str = ""
    fields: tuple[Extraction, ...] = ()
    flags: tuple[str, ...] = ()


class LabelFilter(msgspec.Struct, frozen=True):
    """`| label_test`."""

    test: LabelTest


class LineFormat(msgspec.Struct, frozen=True):
    """`| line_format "template"`."""

    template: str


class Renamed(msgspec.Struct, frozen=True):
    """`label=source`, or `label="template"`."""

    label: str
    source: str
    is_template: bool


class LabelFormat(msgspec.Struct, frozen=True):
    """`| label_format a=b, c="…"`."""

    items: tuple[Renamed, ...]


class Decolorize(msgspec.Struct, frozen=True):
    """`| decolorize`."""


class Chosen(msgspec.Struct, frozen=True):
    """`| drop a, b="x"` or `| keep …`; a matcher with no op is the name alone."""

    kind: OneOf["drop", "keep"]
    labels: tuple[Matcher, ...]


class Unwrap(msgspec.Struct, frozen=True):
    """`| unwrap label`; `conversion` is bytes, duration, duration_seconds or nothing."""

    label: str
    conversion: str = ""


LogStage: TypeAlias = LineFilter | Parser | LabelFilter | LineFormat | LabelFormat | Decolorize | Chosen | Unwrap


class Log(msgspec.Struct, frozen=True):
    """A selector and its pipeline."""

    selector: tuple[Matcher, ...]
    stages: tuple[LogStage, ...] = ()


# ---- series ---------------------------------------------------------------------------------------------------------


class Grouping(msgspec.Struct, frozen=True):
    """`by (a, b)` or `without (a, b)`."""

    labels: tuple[str, ...]
    without: bool = False


class RangeOf(msgspec.Struct, frozen=True):
    """`op(parameter, log[range] offset …)`; times in nanoseconds."""

    op: str
    log: Log
    range_ns: int
    offset_ns: int = 0
    parameter: float | None = None
    grouping: Grouping | None = None


class Aggregated(msgspec.Struct, frozen=True):
    """`op by (…) (parameter, inner)`."""

    op: str
    inner: Metric
    grouping: Grouping | None = None
    parameter: float | None = None


class Matching(msgspec.Struct, frozen=True):
    """`on (…)` or `ignoring (…)`, with `group_left (…)` or `group_right (…)`."""

    on: bool
    labels: tuple[str, ...]
    group: OneOf["", "left", "right"] = ""
    included: tuple[str, ...] = ()


class Binary(msgspec.Struct, frozen=True):
    """`left op right`."""

    op: str
    left: Metric
    right: Metric
    is_bool: bool = False
    matching: Matching | None = None


class Literal(msgspec.Struct, frozen=True):
    """A number."""

    value: float


class VectorOf(msgspec.Struct, frozen=True):
    """`vector(1)`: one series without labels."""

    value: float


class Replaced(msgspec.Struct, frozen=True):
    """`label_replace(inner, "to", "replacement", "from", "regex")`."""

    inner: Metric
    label: str
    replacement: str
    source: str
    regex: str


Metric: TypeAlias = RangeOf | Aggregated | Binary | Literal | VectorOf | Replaced
Expression: TypeAlias = Log | Metric
