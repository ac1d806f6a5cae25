"""The TextMate grammar colours queries as an editor would: leftmost, and of several the first pattern."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from cordwood.core.query.function import functions
from cordwood.core.query.stages import load_stages

GRAMMAR = json.loads(files("cordwood.core.query").joinpath("cordwood.tmLanguage.json").read_text(encoding="utf-8"))
PATTERNS = [(item["name"].removesuffix(".cordwood"), re.compile(item["match"])) for item in GRAMMAR["patterns"]]


def coloured(line: str) -> dict[str, str]:
    """The parts of a line that have a colour, with its name."""
    found, at = {}, 0
    while at < len(line):
        matches = [(match.start(), i, match, name) for i, (name, pattern) in enumerate(PATTERNS)
                   if (match := pattern.search(line, at)) and match.end() > match.start()]  # fmt: skip
        if not matches:
            break
        _, _, match, name = min(matches, key=lambda item: item[:2])
        found[match[0].strip()] = name
        at = match.end()
    return found


@pytest.mark.parametrize(
    ("line", "colours"),
    [
        ('declined "card x" -env:staging status>=500',
         {'"card x"': "string.quoted.double", "env": "variable.other.field", "status": "variable.other.field",
          "500": "constant.numeric", ">=": "keyword.operator"}),
        ("| stats count() as n, p95(took) by bin(5m) | where n > 3 and not x is null",
         {"stats": "keyword.control.stage", "count": "support.function", "as": "keyword.operator.word",
          "p95": "support.function", "by": "keyword.operator.word", "bin": "support.function", "5m": "constant.numeric",
          "where": "keyword.control.stage", "and": "keyword.operator.word", "null": "constant.language"}),
        (r"from incidents /user=\d+/i path:/^\/v1/", {"from": "keyword.control.head", r"/user=\d+/i": "string.regexp",
                                                     r"/^\/v1/": "string.regexp"}),
        ("`failed`(web) `weird name`:x bytes>4GB service:$service | timechart span=1h30m count()",
         {"`failed`": "entity.name.function.saved", "`weird name`": "variable.other.quoted", "4GB": "constant.numeric",
          "$service": "variable.parameter", "1h30m": "constant.numeric", "span": "keyword.operator.word"}),
    ],
    ids=["search", "stages", "expressions", "names"],
)  # fmt: skip
def test_colours(line: str, colours: dict[str, str]) -> None:
    found = coloured(line)
    assert {part: found.get(part) for part in colours} == colours


def test_every_stage_and_function_has_one() -> None:
    for stage in load_stages():
        assert coloured(f"x | {stage} y")[stage] == "keyword.control.stage"
    for function in functions():
        assert coloured(f"| extend y = {function}(x)")[function] == "support.function"
