"""The way of events through a YAML file as an SVG picture: a row a pipeline, the store, and what reads from it.

No graph library is needed for this: steps follow each other and routes part and join again, so the place of each box
follows from its steps alone. A series is as wide as its parts together, a route as high as its branches together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from ..config import Config, Step

_LETTER: Final = 7.25  # the width of one in the font below; a wide one, as of Chinese, takes two
_LINE: Final = 16.0
_PAD: Final = 12.0
_GAP: Final = 40.0  # between boxes in a row, for the arrow
_BETWEEN: Final = 14.0  # boxes above each other
_LANE: Final = 24.0  # the height of a way without steps
_LONGEST: Final = 40  # letters of a line that are shown; what points at the box reads all
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE: Final = """
svg { color-scheme: light dark; background: #fff; font: 12px ui-monospace, Menlo, Consolas, monospace; }
text { fill: #1f2933; } .name { font-weight: bold; } .when { fill: #52606d; }
rect, path, polygon { stroke: #52606d; fill: none; } .head { fill: #52606d; }
.source { fill: #e3f2e6; } .step { fill: #eef2f7; } .route { fill: #fdf1dc; } .store { fill: #e1ebfb; }
.detector { fill: #fbe6e6; } .notifier { fill: #f1e8fa; } .output { fill: #e0f4f4; } .pipeline { stroke-dasharray: 4; }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d; } text { fill: #e4e7eb; } .when { fill: #9aa5b1; } rect, path, polygon { stroke: #9aa5b1; }
  .head { fill: #9aa5b1; } .source { fill: #1d3523; } .step { fill: #232b35; } .route { fill: #3d301a; }
  .store { fill: #1c2c47; } .detector { fill: #432222; } .notifier { fill: #33254a; } .output { fill: #173838; }
}
"""

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class _Exit:
    """Where a way ends, to be led on; `when`: what leads into it, if nothing has said so yet."""

    at: Point
    when: str = ""


class _Box:
    """Some lines of text in a frame."""

    def __init__(self, kind: str, *lines: str) -> None:
        self.kind = kind
        self.lines = [line for line in map(_clean, lines) if line]
        self.width = max(map(_width, map(_short, self.lines))) + 2 * _PAD
        self.height = len(self.lines) * _LINE + _PAD


class _Part:
    """A step; of a route, also its branches one above the other, and the way past them, if an event may take it."""

    def __init__(self, step: Step) -> None:
        self.box = _Box("route" if step.branches else "step", step.type, f"when {step.when}" if step.when else "")
        self.branches: list[tuple[str, _Series]] = [(one.when or "else", _Series(one.parse)) for one in step.branches]
        if step.branches and (step.when or all(branch.when for branch in step.branches)):
            self.branches.append(("others", _Series(())))
        self.label = max((_width(_short(when)) for when, _ in self.branches), default=0.0) + _PAD
        inner = max((series.width for _, series in self.branches), default=0.0)
        self.width: float = self.box.width + (self.label + _GAP + inner if self.branches else 0)
        lanes = [series.height for _, series in self.branches]
        self.height: float = max(self.box.height, sum(lanes) + _BETWEEN * max(0, len(lanes) - 1))


class _Series:
    """Steps one after the other."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.parts = [_Part(step) for step in steps]
        self.width = sum(part.width for part in self.parts) + _GAP * max(0, len(self.parts) - 1)
        self.height = max((part.height for part in self.parts), default=_LANE)


class _Canvas:
    """The picture that is drawn on."""

    def __init__(self) -> None:
        self.root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
        ET.SubElement(self.root, "title").text = "The way of events"
        ET.SubElement(self.root, "style").text = _STYLE

    def text(self, at: Point, text: str, kind: str) -> None:
        """A line of text that begins there."""
        ET.SubElement(self.root, "text", {"x": _n(at[0]), "y": _n(at[1]), "class": kind}).text = _short(_clean(text))

    def box(self, box: _Box, x: float, middle: float) -> _Exit:
        """The box; the way out of it."""
        top = middle - box.height / 2
        group = ET.SubElement(self.root, "g")
        ET.SubElement(group, "title").text = "\n".join(box.lines)
        self._frame(group, x, top, box.width, box.height, box.kind, 0 if box.kind == "step" else 8)
        for number, line in enumerate(box.lines):
            at = {"x": _n(x + _PAD), "y": _n(top + _PAD / 2 + (number + 0.75) * _LINE)}
            ET.SubElement(group, "text", at | {"class": "name" if number == 0 else "when"}).text = _short(line)
        return _Exit((x + box.width, middle))

    def around(self, x: float, top: float, width: float, height: float, name: str) -> None:
        """A frame with a name."""
        self._frame(self.root, x, top, width, height, "pipeline", 8)
        self.text((x + _PAD, top + _LINE), name, "name")

    def lead(self, way: _Exit, to: Point, *, head: bool = True) -> None:
        """A line to there; its `when` stands at its beginning, on the height where it arrives."""
        (x1, y1), (x2, y2) = way.at, to
        bend = min(_GAP / 2, (x2 - x1) / 2)
        curve = f"C{_n(x1 + bend)} {_n(y1)} {_n(x1 + bend)} {_n(y2)} {_n(x1 + 2 * bend)} {_n(y2)}"
        ET.SubElement(self.root, "path", {"d": f"M{_n(x1)} {_n(y1)}{curve}H{_n(x2)}"})
        if head:
            points = f"{_n(x2)},{_n(y2)} {_n(x2 - 7)},{_n(y2 - 4)} {_n(x2 - 7)},{_n(y2 + 4)}"
            ET.SubElement(self.root, "polygon", {"points": points, "class": "head"})
        if way.when:
            self.text((x1 + 2 * bend, y2 - 4), way.when, "when")

    def series(self, series: _Series, x: float, middle: float, ways: Sequence[_Exit]) -> Sequence[_Exit]:
        """Steps from there on, into which these ways lead; the ways out of the last."""
        for part in series.parts:
            for way in ways:
                self.lead(way, (x, middle))
            out = self.box(part.box, x, middle)
            ways = self._branches(part, out, x + part.width, middle) if part.branches else [out]
            x += part.width + _GAP
        return ways

    def _branches(self, part: _Part, out: _Exit, end: float, middle: float) -> list[_Exit]:
        """The branches of a route; the ways out of all of them, which end on one line."""
        x = out.at[0] + _GAP + part.label
        lanes = sum(series.height for _, series in part.branches) + _BETWEEN * (len(part.branches) - 1)
        y = middle - lanes / 2
        found = []
        for when, series in part.branches:
            at = y + series.height / 2
            for way in self.series(series, x, at, [_Exit(out.at, when)]):
                if way.at[0] < end:
                    self.lead(way, (end, at), head=False)
                found.append(_Exit((end, at)))
            y += series.height + _BETWEEN
        return list(dict.fromkeys(found))

    def _frame(
        self, parent: ET.Element, x: float, y: float, width: float, height: float, kind: str, corner: float
    ) -> None:
        size = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height)}
        ET.SubElement(parent, "rect", size | {"rx": _n(corner), "class": kind})


class _Row:
    """A pipeline with the sources that feed it."""

    def __init__(self, config: Config, name: str) -> None:
        line = config.pipelines[name]
        self.name, self.series = name, _Series(line.parse)
        self.sources = [_Box("source", source, config.sources[source].type) for source in line.from_]
        self.source_width = max((box.width for box in self.sources), default=0.0)
        self.framed = bool(line.parse)
        inner = self.series.height + (_LINE + 2 * _PAD if self.framed else 0)
        self.height = max(inner, _column(self.sources))
        self.width = max(self.series.width, _width(_short(_clean(name)))) + 2 * _PAD

    def draw(self, canvas: _Canvas, left: float, top: float) -> Sequence[_Exit]:
        """Draw it with its steps from `left` on; the ways out."""
        middle = top + self.height / 2
        ways = _stacked(canvas, self.sources, left - _GAP, middle, right=True)
        if not self.framed:
            return ways
        height = self.series.height + _LINE + 2 * _PAD
        canvas.around(left, middle - height / 2, self.width, height, self.name)
        return canvas.series(self.series, left + _PAD, middle + _LINE / 2, ways)


def svg(config: Config) -> str:
    """The picture as a file of its own. Whatever stands in the YAML is text in it, never markup."""
    from ..plugins import DetectorConfig, OutputConfig

    canvas = _Canvas()
    rows = [_Row(config, name) for name, line in config.pipelines.items() if line.from_ or line.parse]
    left = _PAD + max((row.source_width for row in rows), default=0.0) + _GAP
    detectors = [_Box("detector", name, entry.type) for name, entry in config.detectors.items()]
    outputs = []
    for name, output in config.outputs.items():
        assert isinstance(output.config, OutputConfig)
        outputs.append(_Box("output", name, output.type, f"when {output.config.when}" if output.config.when else ""))
    readers = [*detectors, *outputs]
    notifiers = [_Box("notifier", name, entry.type) for name, entry in config.notifiers.items()]
    store = _Box("store", "events")
    lines = sum(row.height for row in rows) + 2 * _BETWEEN * max(0, len(rows) - 1)
    height = max(lines, store.height, _column(readers), _column(notifiers))
    middle = _PAD + height / 2
    y = middle - lines / 2
    ways: list[_Exit] = []
    for row in rows:
        ways += row.draw(canvas, left, y)
        y += row.height + 2 * _BETWEEN
    x = left + max((row.width for row in rows), default=0.0) + 2 * _GAP
    for way in ways:
        canvas.lead(_Exit(way.at), (x - _GAP, way.at[1]), head=False)
        canvas.lead(_Exit((x - _GAP, way.at[1])), (x, middle))
    stored = canvas.box(store, x, middle)
    x += store.width + 2 * _GAP
    ends = _stacked(canvas, readers, x, middle)
    for box, end in zip(readers, ends, strict=True):
        canvas.lead(stored, (end.at[0] - box.width, end.at[1]))
    x += max((box.width for box in readers), default=0.0) + 2 * _GAP
    told = _stacked(canvas, notifiers, x, middle)
    places = {name: (x, end.at[1]) for name, end in zip(config.notifiers, told, strict=True)}
    for entry, end in zip(config.detectors.values(), ends, strict=False):
        assert isinstance(entry.config, DetectorConfig)
        start = _Exit((x - 2 * _GAP, end.at[1]))
        if entry.config.notify and end.at[0] < start.at[0]:
            canvas.lead(end, start.at, head=False)
        for to in entry.config.notify:
            canvas.lead(start, places[to])
    x += max((box.width for box in notifiers), default=0.0)
    size = {"width": _n(x + _PAD), "height": _n(height + 2 * _PAD)}
    canvas.root.attrib |= size | {"viewBox": f"0 0 {size['width']} {size['height']}"}
    ET.indent(canvas.root)
    return ET.tostring(canvas.root, encoding="unicode") + "\n"


def _stacked(canvas: _Canvas, boxes: Sequence[_Box], x: float, middle: float, *, right: bool = False) -> list[_Exit]:
    """Boxes one above the other from `x` on, or with `right` up to it; the ways out of each."""
    y = middle - _column(boxes) / 2
    found = []
    for box in boxes:
        found.append(canvas.box(box, x - box.width if right else x, y + box.height / 2))
        y += box.height + _BETWEEN
    return found


def _column(boxes: Sequence[_Box]) -> float:
    return sum(box.height for box in boxes) + _BETWEEN * max(0, len(boxes) - 1)


def _width(text: str) -> float:
    return _LETTER * sum(2 if unicodedata.east_asian_width(letter) in "FW" else 1 for letter in text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _clean(text: str) -> str:
    """The text as one line that XML can hold."""
    return " ".join(_NO_XML.sub("\ufffd", text).split())


def _n(number: float) -> str:
    return f"{number:.6g}"
