"""`cordwood graph --format svg`: every box has its own place, lines lead from box to box, and names are only text."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml
from cordwood.cli.picture import svg
from cordwood.config import load_text
from cordwood.plugins import load_plugins
from hypothesis import given, settings
from hypothesis import strategies as st

REGISTRY = load_plugins()
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = """
version: 1
sources:
  access: {type: file, include: [/tmp/a.log]}
  app: {type: file, include: [/tmp/b.log]}
  plain: {type: stdin}
pipelines:
  web:
    from: [access, app]
    parse:
      - json
      - type: route
        branches:
          - {when: "service:shop", parse: [logfmt, {type: rename, fields: {a: b}}]}
          - when: "service:'<script>alert(1)</script> & ]]> \\e'"
            parse:
              - type: route
                when: "status>=400"
                branches: [{when: "path=/x", parse: [drop]}, {when: "path=/y", parse: []}]
              - {type: redact, fields: [user]}
        else: [{type: set, fields: {kind: other}}]
      - {type: dedupe, fields: [message], when: "level:debug"}
detectors:
  errors: {type: match, query: "severity>=error", notify: [oncall, mail]}
  fatal: {type: match, query: "severity>=fatal", notify: [mail]}
notifiers:
  oncall: {type: webhook, url: "http://127.0.0.1:1/"}
  mail: {type: webhook, url: "http://127.0.0.1:1/"}
outputs:
  archive: {type: file, folder: /srv/archive, when: "severity>=error"}
"""
Rectangle = tuple[float, float, float, float]


def place(rectangle: ET.Element) -> Rectangle:
    """Left, top, right, bottom."""
    x, y, width, height = (float(rectangle.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def boxes(picture: str) -> list[tuple[str, list[str], Rectangle]]:
    """Class, lines and place of each box."""
    return [
        (group[1].attrib["class"], [text.text or "" for text in group.iter(f"{SVG}text")], place(group[1]))
        for group in ET.fromstring(picture).iter(f"{SVG}g")
    ]


def checked(picture: str) -> None:
    """No box lies on another or outside, and into each but sources a line leads."""
    root = ET.fromstring(picture)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = boxes(picture)
    for left, top, right, bottom in (at for _, _, at in found):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for (_, one, a), (_, other, b) in itertools.combinations(found, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (one, other)
    ends = [one.attrib["points"].split()[0] for one in root.iter(f"{SVG}polygon")]
    for kind, lines, (left, top, _, bottom) in found:
        if kind != "source":
            into = [end for end in ends if end == f"{left:.6g},{(top + bottom) / 2:.6g}"]
            assert into, lines


def test_each_box_has_its_place_and_a_way_into_it() -> None:
    picture = svg(load_text(DRAWN, REGISTRY))
    checked(picture)
    kinds = [(kind, lines[0]) for kind, lines, _ in boxes(picture)]
    assert sorted(kinds) == sorted([
        ("source", "access"), ("source", "app"), ("source", "plain"), ("store", "events"),
        ("step", "json"), ("route", "route"), ("step", "logfmt"), ("step", "rename"), ("route", "route"),
        ("step", "drop"), ("step", "redact"), ("step", "set"), ("step", "dedupe"), ("output", "archive"),
        ("detector", "errors"), ("detector", "fatal"), ("notifier", "oncall"), ("notifier", "mail"),
    ])  # fmt: skip
    assert {"status>=400", "path=/x", "path=/y", "service:shop", "else", "others"} <= {
        (text.text or "").removeprefix("when ") for text in ET.fromstring(picture).iter(f"{SVG}text")
    }


def test_steps_stand_within_the_frame_of_their_pipeline() -> None:
    root = ET.fromstring(svg(load_text(DRAWN, REGISTRY)))
    (frame,) = (place(one) for one in root.iter(f"{SVG}rect") if one.attrib["class"] == "pipeline")
    for kind, lines, at in boxes(ET.tostring(root, encoding="unicode")):
        within = frame[0] < at[0] and frame[1] < at[1] and at[2] < frame[2] and at[3] < frame[3]
        assert within == (kind in ("step", "route")), lines


def test_what_stands_in_the_file_is_text() -> None:
    picture = svg(load_text(DRAWN, REGISTRY))
    assert "<script" not in picture
    assert "\x1b" not in picture
    assert any("<script>alert(1)</script>" in (one.text or "") for one in ET.fromstring(picture).iter(f"{SVG}text"))
    tags = {re.sub(r"{.*}", "", one.tag) for one in ET.fromstring(picture).iter()}
    assert tags == {"svg", "title", "style", "g", "rect", "text", "path", "polygon"}


def routes(inner: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    branch = st.fixed_dictionaries({"when": st.just("level:debug"), "parse": inner})
    route = st.fixed_dictionaries(
        {"type": st.just("route"), "branches": st.lists(branch, min_size=1, max_size=3)},
        optional={"when": st.just("a:b"), "else": inner},
    )
    return st.lists(st.one_of(st.just("json"), route), max_size=3)


STEPS = st.recursive(st.lists(st.just("json"), max_size=3), routes, max_leaves=6)


@settings(max_examples=60)
@given(st.lists(STEPS, min_size=1, max_size=3))
def test_any_pipelines(lines: list[list[Any]]) -> None:
    sources = {f"s{n}": {"type": "file", "include": [f"/tmp/{n}"]} for n in range(len(lines))}
    pipelines = {f"p{n}": {"from": [f"s{n}"], "parse": steps} for n, steps in enumerate(lines)}
    checked(svg(load_text(yaml.safe_dump({"version": 1, "sources": sources, "pipelines": pipelines}), REGISTRY)))


def test_the_command_prints_it(cordwood: Any, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(DRAWN)
    done = cordwood("graph", str(file), "--format", "svg")
    assert (done.code, done.err) == (0, "")
    checked(done.out)
    wrong = cordwood("graph", str(file), "--format", "png")
    assert wrong.code == 2


def test_little_and_nothing() -> None:
    checked(svg(load_text("version: 1\nsources: {s: {type: stdin}}\n", REGISTRY)))
    (only,) = boxes(svg(load_text("version: 1\nsources: {}\n", REGISTRY)))
    assert only[1] == ["events"]
