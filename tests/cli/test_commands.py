"""What the command does without a server: help, usage, check, schema, plugins."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import pytest

COMMANDS = [
    ("up",),
    ("check",),
    ("test",),
    ("try",),
    ("tap",),
    ("graph",),
    ("top",),
    ("ingest",),
    ("query",),
    ("tail",),
    ("doctor",),
    ("plugins", "list"),
    ("schema", "pipeline"),
    ("schema", "highlighting"),
    ("user", "add"),
    ("user", "list"),
    ("user", "disable"),
    ("lookup", "put"),
    ("lookup", "list"),
    ("lookup", "show"),
    ("lookup", "delete"),
    ("audit", "verify"),
    ("token", "create"),
    ("token", "list"),
    ("token", "revoke"),
    ("route", "test"),
    ("project", "add"),
    ("project", "list"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_each_command_shows_an_example(cordwood, command):
    done = cordwood(*command, "--help")
    assert done.code == 0
    assert f"Example: cordwood {' '.join(command)}" in done.out


def test_help_starts_quickly_because_nothing_heavy_is_imported():
    code = "import sys; from cordwood.cli.app import build; build(); print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "polars",
        "pyarrow",
        "pydantic",
        "duckdb",
        "litestar",
        "uvicorn",
        "httpx",
        "asyncpg",
        "cordwood.plugins",
        "numpy",
        "sklearn",
    }
    assert heavy & set(modules) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("nope",), id="unknown command"),
        pytest.param(("query", "x", "--nope"), id="unknown option"),
        pytest.param(("query",), id="missing argument"),
        pytest.param(("query", "x", "--format", "xml"), id="unknown format"),
        pytest.param(("query", "x", "--limit", "many"), id="no number"),
    ],
)
def test_wrong_usage_is_2(cordwood, arguments):
    done = cordwood(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("query", "x", "--since", "soon"), "'soon' is no duration", id="since"),
        pytest.param(("query", "x", "--from", "yesterday"), "'yesterday' is no time", id="from"),
        pytest.param(("query", "x", "--since", "1h", "--from", "now"), "cannot both be given", id="both"),
        pytest.param(("query", "x", "--timezone", "Mars"), "'Mars' is no time zone", id="zone"),
        pytest.param(("ingest", "/nowhere/x.log"), "no such file: /nowhere/x.log", id="file"),
        pytest.param(("ingest", "-", "--set", "x"), "write --set KEY=VALUE", id="setting"),
        pytest.param(("ingest", "-", "--pattern", "x"), "name it with --parser", id="pattern alone"),
        pytest.param(("check", "/nowhere.yaml"), "the file /nowhere.yaml cannot be read", id="check"),
        pytest.param(("up", "/nowhere.yaml"), "the file /nowhere.yaml cannot be read", id="up"),
        pytest.param(("up", "--port", "99999"), "--port: must be less than or equal to 65535", id="port"),
        pytest.param(("up", "--role", "boss"), "--role: must be 'all', 'ingest'", id="role"),
        pytest.param(("token", "create", "x", "--valid-for", "soon"), "--valid-for: 'soon' is no duration", id="valid"),
        pytest.param(("user", "add", "a@b"), "use --password-stdin", id="password"),
    ],
)
def test_a_problem_in_the_input_is_1_with_a_message_and_no_traceback(cordwood, arguments, message):
    done = cordwood(*arguments)
    assert (done.code, done.out) == (1, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [("query", "x"), ("tail",), ("ingest", "-")], ids=lambda a: a[0])
def test_a_server_that_is_not_there_is_3(cordwood, arguments):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        more = ("--retry-for", "0") if arguments[0] == "ingest" else ()
        done = cordwood(*arguments, *more, env={"CORDWOOD_URL": url}, stdin="line\n")
    assert done.code == 3
    assert "cannot be reached" in done.err or "did not answer within" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["query", "tail"])
def test_a_folder_without_a_store_is_3_and_stays_empty(cordwood, tmp_path, command):
    done = cordwood(command, "x", "--data-dir", str(tmp_path / "typo"))
    assert (done.code, done.out) == (3, "")
    assert "holds no store" in done.err
    assert not (tmp_path / "typo").exists()


def test_check_tells_all_errors_and_ends_with_1(cordwood, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("sorces: {}\nsources: {a: {type: htpp}}\npipelines: {p: {from: [b]}}\n")
    done = cordwood("check", str(path))
    assert done.code == 1
    assert done.out == ""
    places = [line.split(" ")[0] for line in done.err.splitlines() if line.startswith(str(path))]
    assert places == [f"{path}:1:1", f"{path}:2:21", f"{path}:3:24"]
    assert "did you mean http?" in done.err
    assert "3 errors" in done.err


def test_check_of_a_right_file(cordwood, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("sources: {web: {type: http}}\npipelines: {p: {from: [web]}}\n")
    done = cordwood("check", str(path))
    assert (done.code, done.err) == (0, "")
    assert "1 sources, 1 pipelines" in done.out


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "sources: {web: {type: http}}\npipelines: {p: {from: web, parse: [{type: json, when: 'a ('}]}}", id="when"
        ),
        pytest.param("detectors: {d: {type: threshold, query: 'a (', condition: 'n > 1'}}", id="detector"),
    ],
)
def test_check_finds_mistakes_in_queries(cordwood, tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text + "\n")
    done = cordwood("check", str(path))
    assert done.code == 1
    line = text.splitlines()[-1]
    place = done.err.split(" ")[0].removeprefix(f"{path}:").split(":")
    assert int(place[0]) == text.count("\n") + 1
    assert line.index("a (") < int(place[1]) <= line.index("a (") + 4
    assert "Traceback" not in done.err


TESTED = """\
sources: {files: {type: file, include: [/nowhere/*.log]}}
pipelines:
  web:
    from: [files]
    service: nginx
    parse:
      - type: regex
        pattern: '^(?P<time>\\S+) (?P<level>\\w+) (?P<status>\\d+) (?P<msg>.*)$'
        types: {status: int}
    tests:
      - name: a line
        input: 2026-01-31T12:00:00Z warn 503 upstream is slow
        expect:
          - {timestamp: "2026-01-31T12:00:00Z", severity: warn, status: 503, message: upstream is slow, service: nginx}
      - input: |
          nonsense
          2026-01-31T12:00:00Z info 200 fine
        expect: [{message: nonsense, status: null, parse_error: "regex: no match"}, {status: %s}]
"""


def test_the_tests_of_a_file(cordwood, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(TESTED % "200")
    done = cordwood("test", str(path))
    assert (done.code, done.out, done.err) == (0, "2 of 2 tests passed\n", "")
    path.write_text(TESTED % '"200"')
    done = cordwood("test", str(path))
    assert (done.code, done.out) == (1, "1 of 2 tests passed\n")
    assert done.err.splitlines() == [
        f"{path} pipelines.web.tests[1]:",
        "  event 2:",
        '  - status: "200"',
        "  + status: 200",
    ]
    path.write_text("sorces: {}\n")
    assert cordwood("test", str(path)).code == 1


def test_schema_has_the_installed_plugins(cordwood):
    schema = json.loads(cordwood("schema", "pipeline").out)
    assert "http" in schema["$defs"]["source"]["properties"]["type"]["enum"]


def test_plugins_list_names_kind_type_package_and_version(cordwood):
    from cordwood import __version__

    done = cordwood("plugins", "list")
    assert done.code == 0
    assert any(line.split("\t")[:4] == ["source", "http", "cordwood", __version__] for line in done.lines)


def test_plugins_list_names_the_packages_that_failed(cordwood, tmp_path):
    package = tmp_path / "cordwood_broken-1.2.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: cordwood-broken\nVersion: 1.2\n")
    (package / "entry_points.txt").write_text("[cordwood]\nbroken_one = cordwood_broken_module\n")
    (tmp_path / "cordwood_broken_module.py").write_text("raise RuntimeError('no licence')\n")
    done = cordwood("plugins", "list", env={"PYTHONPATH": str(tmp_path)})
    assert done.code == 0
    assert "broken_one\tcordwood-broken\tRuntimeError: no licence" in done.lines
    assert any(line.startswith("source\thttp\t") for line in done.lines)


def test_version(cordwood):
    from cordwood import __version__

    assert cordwood("--version").out.strip() == f"cordwood {__version__}"


def test_a_reader_that_goes_away_is_no_error():
    code = "from cordwood.cli.app import run; import sys; run(['schema', 'pipeline'])"
    reading, writing = os.pipe()
    os.close(reading)
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert b"Traceback" not in done.stderr, time.monotonic() - started


DRAWN = """\
version: 1
sources:
  access: {type: file, include: [/tmp/access.log]}
  app: {type: file, include: [/tmp/app.log]}
pipelines:
  web:
    from: [access]
    parse: [json, {type: timestamp, field: time, when: 'status>=500 "a | b"'}]
  plain: {from: [app]}
detectors:
  "errors <b>]": {type: match, query: "severity>=error", notify: [oncall]}
notifiers:
  oncall: {type: webhook, url: "https://example.com/hook"}
outputs:
  archive: {type: file, folder: /srv/archive, when: "severity>=error"}
"""


ROUTED = """\
version: 1
sources:
  app: {type: file, include: [/tmp/app.log]}
  other: {type: file, include: [/tmp/other.log]}
pipelines:
  web:
    from: [app]
    parse:
      - type: route
        branches: [{when: "service:a", parse: [json, {type: drop, when: "n>1"}]}]
        else: []
      - logfmt
"""


def test_it_is_told_which_branches_no_test_takes(cordwood, tmp_path):
    path = tmp_path / "p.yaml"
    tests = "    tests: [{input: 'a=1', expect: [{a: 1}]}]\n"
    path.write_text(ROUTED + tests)
    done = cordwood("test", str(path))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "1 of 1 tests passed",
        "1 of 4 branches covered",
        "not covered: web.1 route: no event takes when service:a",
        "not covered: web.1.1.2 drop: no event is found by n>1",
        "not covered: web.1.1.2 drop: every event is found by n>1",
    ]


def test_a_graph_shows_the_way_of_events(cordwood, tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text(DRAWN)
    done = cordwood("graph", str(file))
    assert done.code == 0
    assert done.out.splitlines() == [
        "flowchart LR",
        '  store[("events")]',
        '  source0(["access<br>file"])',
        '  source1(["app<br>file"])',
        '  subgraph pipeline0["web"]',
        '    step0_0["json"]',
        '    step0_1["timestamp<br>when status#62;=500 #34;a #124; b#34;"]',
        "    step0_0 --> step0_1",
        "  end",
        "  source0 --> step0_0",
        "  step0_1 --> store",
        "  source1 --> store",
        '  notifier0>"oncall<br>webhook"]',
        '  detector0{{"errors #60;b#62;#93;<br>match"}}',
        "  store --> detector0",
        "  detector0 --> notifier0",
        '  output0[/"archive<br>file<br>when severity#62;=error"/]',
        "  store --> output0",
    ]
    file.write_text(ROUTED)
    done = cordwood("graph", str(file))
    assert done.out.splitlines()[4:-3] == [
        '  subgraph pipeline0["web"]',
        '    step0_0{"route"}',
        '    step0_0_0_0["json"]',
        '    step0_0_0_1["drop<br>when n#62;1"]',
        "    step0_0_0_0 --> step0_0_0_1",
        '    step0_0 -- "service:a" --> step0_0_0_0',
        '    step0_1["logfmt"]',
        "    step0_0_0_1 --> step0_1",
        '    step0_0 -- "else" --> step0_1',
        "  end",
    ]
    assert done.out.splitlines()[-3:] == ["  source0 --> step0_0", "  step0_1 --> store", "  source1 --> store"]
    file.write_text("version: 1\nsorces: {}\n")
    wrong = cordwood("graph", str(file))
    assert (wrong.code, wrong.out) == (1, "")
    assert "did you mean sources" in wrong.err


def test_a_query_is_brought_into_its_form(cordwood):
    done = cordwood("query", "ERROR   and status=500|stats count()BY host|limit 5", "--format-query")
    assert (done.code, done.out) == (0, "ERROR status=500 | stats count() by host | limit 5\n")
    wrong = cordwood("query", "a | limt 5", "--format-query")
    assert wrong.code == 1
    assert "did you mean `limit`?" in wrong.err
