"""A dashboard as a document: what is stored, answered, exported and imported is one and the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

COLUMNS = 12  # of the grid
MOST_ROWS = 1_000  # of the grid: a longer page is a mistake in a script
Kind: TypeAlias = Literal["timeseries", "bar", "table", "number", "top", "heatmap", "pie", "markdown"]
Name: TypeAlias = Annotated[
    str,
    Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$", description="Its name in addresses and reports", examples=["overview"]),
]
PanelId: TypeAlias = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$", description="Unique in the dashboard", examples=["errors"])
]
VariableName: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,30}$", examples=["service"])]
Value: TypeAlias = Annotated[str, Meta(max_length=1_000)]
QueryText: TypeAlias = Annotated[
    str,
    Meta(
        max_length=10_000,
        description="In the query language; `$name` stands for a variable",
        examples=["severity>=error $service | timechart count() by service"],
    ),
]
Span: TypeAlias = Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}(s|m|h|d)$", examples=["30s"])]
End: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(-[1-9][0-9]{0,5}(s|m|h|d|w)|all|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}Z)$",
        description="How long ago, `all` for the first event, or RFC 3339 in UTC",
        examples=["-1h"],
    ),
]


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a panel lies on the grid of 12 columns; a row is 40 pixels high."""

    x: Annotated[int, Meta(ge=0, le=COLUMNS - 1, description="First column, from 0")]
    y: Annotated[int, Meta(ge=0, le=MOST_ROWS, description="First row, from 0")]
    w: Annotated[int, Meta(ge=1, le=COLUMNS, description="Columns")]
    h: Annotated[int, Meta(ge=1, le=60, description="Rows")]


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From this value on, a number is shown as a warning or as an error."""

    at: float
    level: Literal["warn", "error"]


class PanelOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a panel shows its rows."""

    stacked: Annotated[bool, Meta(description="Time series: areas on top of each other")] = False
    decimals: Annotated[int, Meta(ge=0, le=6, description="Digits behind the point")] | None = None
    thresholds: Annotated[Sequence[Threshold], Meta(max_length=5, description="Numbers: in rising order")] = ()


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One query and the way its rows are shown; of kind `markdown`: a text."""

    id: PanelId
    title: Annotated[str, Meta(max_length=200, examples=["Errors by service"])]
    kind: Kind
    position: Position
    query: QueryText = ""
    text: Annotated[str, Meta(max_length=20_000, description="Markdown, of a panel of that kind")] = ""
    unit: Annotated[str, Meta(max_length=20, description="Behind numbers", examples=["ms"])] = ""
    options: PanelOptions = PanelOptions()


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What viewers choose, and queries name as `$name`.

    With `field`, `$name` stands for a search term, `(field="a" or field="b")`, or `*` where nothing is chosen. Without,
    it stands for the chosen values in quotes.
    """

    name: VariableName
    title: Annotated[str, Meta(max_length=100)] = ""
    field: Annotated[str, Meta(max_length=200, description="The field it filters", examples=["service"])] | None = None
    query: (
        Annotated[QueryText, Meta(description="Gives the values to choose from: those of its first column")] | None
    ) = None
    values: Annotated[Sequence[Value], Meta(max_length=200, description="The values to choose from")] = ()
    default: Annotated[Sequence[Value], Meta(max_length=50, description="What is chosen at first")] = ()
    multiple: Annotated[bool, Meta(description="Whether several may be chosen")] = False


class Dashboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A dashboard. What is exported can be imported as it is."""

    name: Name
    title: Annotated[str, Meta(min_length=1, max_length=200, examples=["Overview"])]
    description: Annotated[str, Meta(max_length=2_000)] = ""
    from_: Annotated[End, Meta(description="Begin of the time range at first")] = "-1h"
    to: Annotated[End | None, Meta(description="Its end; null: now")] = None
    refresh: Annotated[Span | None, Meta(description="Runs its queries again this often; null: when asked")] = None
    variables: Annotated[Sequence[Variable], Meta(max_length=12)] = ()
    panels: Annotated[Sequence[Panel], Meta(max_length=60)] = ()


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a document: `pointer` is a JSON pointer; `line` is 0 where there is no text to point into."""

    pointer: str
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""


def shape_faults(dashboard: Dashboard) -> Iterator[Fault]:
    """What the types alone do not refuse: names used twice, panels beside the grid, panels without a query."""
    if rb"\u0000" in msgspec.json.encode(dashboard).replace(rb"\\", b""):
        yield Fault("", "a text here has a NUL in it, which nothing can show", hint="take it out")
    for part, names in (
        ("panels", [panel.id for panel in dashboard.panels]),
        ("variables", [variable.name for variable in dashboard.variables]),
    ):
        for at, name in enumerate(names):
            if name in names[:at]:
                key = "id" if part == "panels" else "name"
                yield Fault(f"/{part}/{at}/{key}", f"{name} is there twice", hint="give each its own")
    for at, panel in enumerate(dashboard.panels):
        place = panel.position
        if place.x + place.w > COLUMNS:
            hint = f"x + w is at most {COLUMNS}"
            yield Fault(f"/panels/{at}/position", f"{panel.id} sticks out of the grid", hint=hint)
        if panel.kind == "markdown" and panel.query:
            yield Fault(f"/panels/{at}/query", f"{panel.id} is a text and has a query", hint="remove the query")
        if panel.kind != "markdown" and panel.text:
            yield Fault(f"/panels/{at}/text", f"{panel.id} shows a query and has a text", hint="remove the text")
    for at, variable in enumerate(dashboard.variables):
        if variable.query is None and not variable.values:
            hint = "give it a query or a list of values"
            yield Fault(f"/variables/{at}", f"${variable.name} has nothing to choose from", hint=hint)
        if len(variable.default) > 1 and not variable.multiple:
            yield Fault(f"/variables/{at}/default", f"${variable.name} takes one value", hint="or set multiple")
        if variable.field is None and not variable.default:
            hint = "give it a default, or the field that it filters"
            yield Fault(f"/variables/{at}/default", f"${variable.name} stands for no value at first", hint=hint)
