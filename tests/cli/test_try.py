"""`cordwood try`: each step's work on a line, from the file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CONFIG = """
version: 1
sources:
  access: {type: file, include: [/var/log/nginx/*.log]}
  app: {type: http}
pipelines:
  web:
    from: [access]
    service: nginx
    parse:
      - clf
      - {type: redact, fields: [user], when: "status>=400"}
  apps:
    from: [app]
    parse:
      - {type: route, branches: [{when: "level:debug", parse: [drop]}], else: [logfmt]}
      - {type: set, fields: {env: production}}
"""
LINE = '1.2.3.4 - bob [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 404 5'


@pytest.fixture
def file(data_dir: Path) -> str:
    path = data_dir / "pipeline.yaml"
    path.write_text(CONFIG)
    return str(path)


def test_each_step_is_shown_by_what_it_changes(cordwood: Any, file: str) -> None:
    done = cordwood("try", file, "--source", "access", LINE)
    assert done.code == 0, done.err
    steps = [line for line in done.lines if not line.startswith(" ")]
    assert steps == ["web source", "web.1 clf", "web.2 redact when status>=400", "web store"]
    clf = done.lines[done.lines.index("web.1 clf") : done.lines.index(steps[2])]
    assert {'  + user: "bob"', "  + status: 404"} <= set(clf)
    assert '  ~ user: "bob" → "***"' in done.lines
    assert done.lines[-2:] == ['  + service: "nginx"', '  + source: "access"']


def test_a_line_that_a_step_cannot_read_says_which_and_why(cordwood: Any, file: str) -> None:
    done = cordwood(
        "try", file, "--step", "web.clf", stdin=f"no \x1b[31mred\x9b line\xff\r\n{LINE}\n".encode("latin-1")
    )
    assert done.code == 1
    assert "web.1 clf: 1 not read" in done.lines
    assert "  ! clf: no line of an access log" in done.lines
    assert "redact" not in done.out
    assert "\x1b" not in done.out
    assert "\x9b" not in done.out


def test_the_ways_through_a_route_and_the_whole_as_json(cordwood: Any, file: str) -> None:
    lines = ['{"level": "debug", "a": 1}', '{"level": "info", "a": 2}']
    done = cordwood("try", file, "--step", "apps", *lines)
    assert done.code == 0
    route = done.lines.index("apps.1 route")
    assert done.lines[route + 1 : route + 3] == ["  1 of 2 when level:debug", "  1 of 2 else"]
    told = json.loads(cordwood("try", file, "--source", "app", "--json", *lines).out)
    assert told["pipeline"] == "apps"
    assert [(step["type"], len(step["events"])) for step in told["steps"]] == [
        ("source", 2), ("route", 1), ("set", 1), ("store", 1),
    ]  # fmt: skip
    assert told["steps"][1]["branches"] == [1, 1]
    assert (told["steps"][2]["seen"], told["steps"][2]["events"][0]["env"]) == (1, "production")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("x",), "which pipeline? Write NAME or NAME.STEP; the file has web, apps", id="several pipelines"),
        pytest.param(("--source", "acces", "x"), "there is no source 'acces' in the file; did you mean", id="so"),
        pytest.param(("--source", "app", "--step", "web", "x"), "app is no source of web: use one of access", id="two"),
        pytest.param(("--step", "web.9", "x"), "'9' is no one step of web", id="step"),
        pytest.param(("--step", "web"), "there is no line to try", id="nothing"),
        pytest.param(("--step", "web", "x" * 100_001), "use at most 100 lines, and 100000 characters", id="too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried(cordwood: Any, file: str, arguments: tuple[str, ...], said: str) -> None:
    done = cordwood("try", file, *arguments)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_more_lines_on_standard_input_than_can_be_tried(cordwood: Any, file: str) -> None:
    done = cordwood("try", file, "--step", "web", stdin="x\n" * 10_000_000)
    assert (done.code, done.out) == (1, "")
    assert "use at most 100 lines" in done.err
