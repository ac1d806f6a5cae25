"""A report as one HTML page that stands alone. Whatever comes from events is escaped; nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib import resources
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from ... import __version__
from ...plugins import iso_ns
from ..alerting.records import to_datetime
from ..dashboards.model import COLUMNS, Panel
from .figures import Category, Series, categories, is_number, number_of, number_text, series_of, words
from .gather import Gathered, Rows, Shown
from .summary import change_words
from .svg import chart, colour_of, heat, ring

WIDTH = 812  # pixels of the page's text
TABLE_ROWS, TOP_ROWS, SLICES = 40, 20, 8
_CELL = 300  # characters of a cell
_ROW_PIXELS = 30  # of a grid's row, on paper
_GAP = 1.5  # percent of a row, between panels


@dataclass(frozen=True, slots=True)
class Cell:
    """A panel on the page; `width` is percent of its row."""

    title: str
    width: float
    body: Markup


def page(gathered: Gathered, title: str, summary: list[str], zone: ZoneInfo, made: datetime) -> str:
    """The page. Blocking: call it in a worker thread."""
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((resources.files(__package__) / "page.html.jinja").read_text("utf-8"))
    return template.render(
        title=title,
        range=f"{_moment(gathered.from_, zone)} to {_moment(gathered.to, zone)}, {zone.key}",
        summary=[sentence.replace(" %", "\N{NO-BREAK SPACE}%") for sentence in summary],
        gap=_GAP,
        rows=[list(_cells(row, zone)) for row in _rows(gathered.panels)],
        version=__version__,
        made=f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        dashboard=gathered.dashboard.name,
    )


def _rows(panels: Iterable[Shown]) -> Iterable[list[Shown]]:
    """Panels side by side as long as the grid's columns last; those of a row begin at the same height."""
    row: list[Shown] = []
    for shown in panels:
        place = shown.panel.position
        if row and (place.y != row[0].panel.position.y or sum(_width(one) for one in [*row, shown]) > COLUMNS):
            yield row
            row = []
        row.append(shown)
    if row:
        yield row


def _width(shown: Shown) -> int:
    """Columns on paper: a table's texts need all of them."""
    return COLUMNS if shown.panel.kind == "table" else shown.panel.position.w


def _cells(row: list[Shown], zone: ZoneInfo) -> Iterable[Cell]:
    used = sum(_width(shown) for shown in row)
    left = 100 - _GAP * (len(row) - 1)
    for shown in row:
        width = left * _width(shown) / used
        body = _body(shown, int(WIDTH * width / 100) - 26, zone)
        yield Cell(shown.panel.title, round(width, 2), Markup(body))  # noqa: S704 - made of escaped parts


def _body(shown: Shown, width: int, zone: ZoneInfo) -> str:
    panel, rows = shown.panel, shown.now
    if panel.kind == "markdown":
        # Without HTML and images: what is written as HTML is shown as text.
        reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
        return f'<div class="text">{reader.render(panel.text)}</div>'
    if shown.error is not None:
        return f'<p class="bad">{escape(shown.error)}</p>'
    if panel.kind == "number":
        return _number(shown)
    if not rows.rows:
        return '<p class="note">Nothing in this time.</p>'
    series = series_of(rows) if panel.kind in ("timeseries", "bar", "heatmap") else None
    if series is not None:
        return _series(panel, series, width, zone)
    match panel.kind:
        case "top" | "bar":
            return _top(panel, categories(rows), width)
        case "pie":
            return _pie(panel, categories(rows), width)
    return _table(panel, rows, zone)


def _number(shown: Shown) -> str:
    panel = shown.panel
    now, before = number_of(shown.now), number_of(shown.before)
    if now is None:
        return '<p class="note">Nothing in this time.</p>'
    level = next((one.level for one in reversed(panel.options.thresholds) if now >= one.at), "")
    told = "nothing to compare with" if before is None else change_words(now, before)
    text = number_text(now, panel.unit, panel.options.decimals)
    return f'<div class="number {level}">{escape(text)}</div><div class="change">{escape(told)}</div>'


def _series(panel: Panel, series: Series, width: int, zone: ZoneInfo) -> str:
    label = f"{panel.title}: {', '.join(series.values)} over time"
    if panel.kind == "heatmap":
        return heat(series, width, label, zone)
    look = "bars" if panel.kind == "bar" else "areas" if panel.options.stacked else "lines"
    height = max(90, min(260, panel.position.h * _ROW_PIXELS - 30))
    drawn = chart(series, width, height, look, zone, label)
    items = "".join(
        f'<li><i style="background: {colour_of(name, at)}"></i>{escape(name)}</li>'
        for at, name in enumerate(series.values)
    )
    return drawn + (f'<ul class="legend">{items}</ul>' if list(series.values) != ["count"] else "")


def _top(panel: Panel, found: list[Category], width: int) -> str:
    most = max((abs(one.value) for one in found), default=0) or 1
    lines = []
    for one in found[:TOP_ROWS]:
        share = "" if one.share is None or width < 240 else f'<td class="share">{one.share * 100:.1f} %</td>'
        lines.append(
            f'<tr><td class="name">{escape(_cut(one.name.partition(chr(10))[0]))}'
            f'<div class="bar" style="width: {100 * abs(one.value) / most:.1f}%"></div></td>'
            f'<td class="n">{escape(number_text(one.value, panel.unit, panel.options.decimals))}</td>'
            f"{share}</tr>"
        )
    return f'<table class="top">{"".join(lines)}</table>{_more(len(found), TOP_ROWS)}'


def _pie(panel: Panel, found: list[Category], width: int) -> str:
    found = sorted((one for one in found if one.value > 0), key=lambda one: -one.value)
    if len(found) > SLICES:
        found = [*found[: SLICES - 1], Category("other", sum(one.value for one in found[SLICES - 1 :]))]
    total = sum(one.value for one in found) or 1
    # By the order of the names, as a chart of the same names has its colours.
    names = sorted(one.name for one in found)
    colours = [colour_of(one.name, names.index(one.name)) for one in found]
    items = "".join(
        f'<li><i style="background: {colour}"></i>{escape(_cut(one.name))} <b>{100 * one.value / total:.1f} %</b></li>'
        for one, colour in zip(found, colours, strict=True)
    )
    label = f"{panel.title}: {', '.join(f'{one.name} {100 * one.value / total:.0f} %' for one in found)}"
    return f'{ring(found, colours, min(150, width), label)}<ul class="legend">{items}</ul>'


def _table(panel: Panel, rows: Rows, zone: ZoneInfo) -> str:
    numbers = {at for at in range(len(rows.columns)) for row in rows.rows[:TABLE_ROWS] if is_number(row[at])}
    head = "".join(
        f'<th class="{"n" if at in numbers else "t"}">{escape(name)}</th>' for at, name in enumerate(rows.columns)
    )
    lines = []
    for row in rows.rows[:TABLE_ROWS]:
        cells = []
        for name, value in zip(rows.columns, row, strict=True):
            if is_number(value):
                digits = panel.options.decimals
                text = number_text(value) if digits is None else f"{value:,.{digits}f}"
                cells.append(f'<td class="n">{escape(text)}</td>')
            else:
                text = _time(value, zone) if name in ("timestamp", "time") else words(value)
                cells.append(f"<td>{escape(_cut(text))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table class="data"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>' + _more(
        len(rows.rows), TABLE_ROWS
    )


def _more(count: int, shown: int) -> str:
    more = count - shown
    return f'<p class="note">and {more:,} more row{"s" * (more > 1)}, in the data attached</p>' if more > 0 else ""


def _time(value: object, zone: ZoneInfo) -> str:
    if not isinstance(value, str):
        return words(value)
    return f"{to_datetime(iso_ns(value)).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%A %d %B %Y %H:%M}"


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
