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
    assert done.lines[route + 1 : done.lines.index("apps.2 set")] == [
        "  1 of 2 when level:debug",
        "apps.1.1.1 drop: 1 left out",
        "  no event is left",
        "  1 of 2 else",
        "apps.1.2.1 logfmt",
        "  unchanged",
    ]
    told = json.loads(cordwood("try", file, "--source", "app", "--json", *lines).out)
    assert told["pipeline"] == "apps"
    assert [(step["type"], len(step["events"])) for step in told["steps"]] == [
        ("source", 2), ("route", 1), ("set", 1), ("store", 1),
    ]  # fmt: skip
    assert told["steps"][1]["branches"] == [1, 1]
    assert [[(one["type"], one["changed"]) for one in branch] for branch in told["steps"][1]["steps"]] == [
        [("drop", True)], [("logfmt", False)],
    ]  # fmt: skip
    assert (told["steps"][2]["seen"], told["steps"][2]["events"][0]["env"]) == (1, "production")


NESTED = """
version: 1
sources: {app: {type: http}}
pipelines:
  main:
    from: [app]
    parse:
      - type: route
        when: "kind:*"
        branches:
          - when: "kind:a"
            parse:
              - {type: set, fields: {first: 1}}
              - type: route
                branches: [{when: "n>1", parse: [{type: set, fields: {many: 1}}]}]
              - {type: rename, fields: {n: number}}
          - {when: "kind:b", parse: [drop]}
"""


def test_the_steps_of_the_branch_that_is_taken_are_shown(cordwood: Any, data_dir: Path) -> None:
    path = data_dir / "nested.yaml"
    path.write_text(NESTED)
    done = cordwood("try", str(path), '{"kind": "a", "n": 2}', '{"message": "other"}')
    assert done.code == 0
    assert done.lines[done.lines.index("main.1 route when kind:*: 1 not for it") :][:14] == [
        "main.1 route when kind:*: 1 not for it",
        "  1 of 1 when kind:a",
        "main.1.1.1 set",
        "  + first: 1",
        "main.1.1.2 route",
        "  1 of 1 when n>1",
        "main.1.1.2.1.1 set",
        "  + many: 1",
        "main.1.1.3 rename",
        "  + number: 2",
        "  - n: 2",
        "  0 of 1 when kind:b",
        "main store",
        "  event 1 of 2",
    ]


TABLES = """
version: 1
sources: {app: {type: http}}
pipelines:
  main:
    from: [app]
    parse:
      - {type: lookup, table: owners, field: service}
      - type: route
        branches: [{when: "user:*", parse: [{type: lookup, table: staff, field: user}]}]
"""


def test_lookup_tables_are_given_as_files(cordwood: Any, data_dir: Path) -> None:
    path, owners = data_dir / "tables.yaml", data_dir / "owners.csv"
    path.write_text(TABLES)
    owners.write_text("service,pager\nshop,007\n")
    event = '{"service": "shop", "user": "ada"}'
    without = cordwood("try", str(path), event)
    assert without.code == 1
    assert "the lookup table owners is not given" in without.err
    assert "add --table staff=FILE" in without.err
    one = cordwood("try", str(path), "--table", f"owners={owners}", '{"service": "shop"}')
    assert one.code == 0
    assert "  + pager: 7" in one.lines or '  + pager: "007"' in one.lines
    assert "owners" not in one.err
    assert "the lookup table staff is not given" in one.err
    for wrong, said in (
        ("other=x", "with a table that main reads"),
        ("owners", "write NAME=FILE"),
        (f"owners={data_dir}/none.csv", "No such file"),
    ):
        done = cordwood("try", str(path), "--table", wrong, event)
        assert (done.code, done.out) == (1, "")
        assert said in done.err


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
