"""Scripts: what they may change, and that nothing they do harms anybody but the event they fail on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from cordwood.config import ConfigErrors, load_text
from cordwood.core.runtime.pipeline import RunningPipeline
from cordwood.parsers.starlark import Starlark, StarlarkConfig, runner
from cordwood.plugins import Batch, load_plugins
from cordwood.plugins.conformance import parser_contract

test_contract = parser_contract(
    Starlark, {"script": "def apply(event):\n  event['seen'] = True\n  return event\n", "timeout": "10s"}, ["a line"]
)


def made(body: str, **settings: Any) -> Starlark:
    """A step whose function has this body; it has much time, for machines are busy."""
    return Starlark(StarlarkConfig(script=script(body), **{"timeout": "5s"} | settings))


def script(body: str) -> str:
    return "def apply(event):\n" + "".join(f"  {line}\n" for line in body.splitlines())


def parsed(step: Starlark, *events: Mapping[str, Any]) -> list[dict[str, Any]]:
    times = ("timestamp", "observed_timestamp")
    found = step.parse(Batch.from_records(events)).events()
    return [{name: value for name, value in event.items() if name not in times} for event in found]


def process_of(step: Starlark) -> psutil.Process:
    """The process that runs the script."""
    child = step._runner._child
    assert child is not None
    return psutil.Process(child._process.pid)


def errors(step: Starlark, *events: Mapping[str, Any]) -> list[str | None]:
    return [event.get("parse_error") for event in parsed(step, *events)]


@pytest.mark.parametrize(
    ("body", "event", "wanted"),
    [
        pytest.param("return event", {"message": "a", "n": 1}, {"message": "a", "n": 1}, id="nothing"),
        pytest.param("event['n'] += 1\nreturn event", {"message": "a", "n": 1}, {"message": "a", "n": 2}, id="number"),
        pytest.param("event['n'] = 'x'\nreturn event", {"message": "a", "n": 1}, {"message": "a", "n": "x"}, id="kind"),
        pytest.param("event['n'] = 1.0\nreturn event", {"n": 1}, {"n": 1.0}, id="float"),
        pytest.param("event.pop('n')\nreturn event", {"message": "a", "n": 1}, {"message": "a"}, id="taken out"),
        pytest.param("event['n'] = None\nreturn event", {"message": "a", "n": 1}, {"message": "a"}, id="none"),
        pytest.param("return {'message': 'b'}", {"message": "a", "n": 1}, {"message": "b"}, id="another event"),
        pytest.param("event.pop('message')\nreturn event", {"message": "a", "n": 1}, {"n": 1}, id="text"),
        pytest.param(
            "event['level'] = 'warn'\nreturn event", {"message": "a"},
            {"message": "a", "severity": "WARN", "severity_text": "warn"}, id="severity",
        ),
        pytest.param(
            "event['o'] = json.decode(event['message'])\nevent['l'] = [1, 'b']\nreturn event",
            {"message": '{"a": {"b": 1}}'},
            {"message": '{"a": {"b": 1}}', "o.a.b": 1, "l": [1, "b"]}, id="nested",
        ),
        pytest.param(
            "event['it\\'s \\u00e9'] = True\nreturn event", {"n": 1}, {"n": 1, "it's é": True}, id="name"
        ),
    ],
)  # fmt: skip
def test_what_a_script_changes(body: str, event: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    (found,) = parsed(made(body), event)
    assert found == wanted
    assert all(type(found[name]) is type(wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("return event['nope']", 'Key `"nope"` was not found (script:4:10)', id="missing key"),
        pytest.param("fail('not', 'this')", "not this", id="fail"),
        pytest.param("return event['n'] // 0", "zero", id="zero"),
        pytest.param("return [event]", "returned a list", id="list"),
        pytest.param("event['x'] = 1", "returned None", id="no return"),
        pytest.param("return {1: 2}", "no name but '1'", id="name"),
        pytest.param("event['f'] = apply\nreturn event", "", id="function"),
        pytest.param("event['big'] = 1 << 100\nreturn event", "", id="integer"),
        pytest.param("event['x'] = 'a' * 2000000\nreturn event", "2,000,", id="large"),
        pytest.param("event['observed_timestamp'] = 'x'\nreturn event", "stays as it is", id="arrival"),
        pytest.param("x = []\nx.append(x)\nevent['x'] = x\nreturn event", "", id="within itself"),
        pytest.param("return apply(event)", "overflow", id="recursion"),
    ],
)
def test_a_failure_is_told_and_the_event_stays(body: str, said: str) -> None:
    step = made(f"if event['message'] == 'good':\n  return event | {{'ok': True}}\n{body}")
    found = parsed(step, {"message": "good"}, {"message": "bad", "n": 1}, {"message": "good"})
    assert [event.get("ok") for event in found] == [True, None, True]
    assert (found[1]["message"], found[1]["n"]) == ("bad", 1)
    assert found[1]["parse_error"].startswith("starlark: ")
    assert said in found[1]["parse_error"]


LOOP = "for a in range(1000000000):\n  for b in range(1000000000):\n    pass"
BOMB = "x = ['a' * 1000000]\nfor i in range(100000):\n  x.append('b' * 1000000 + str(i))"


def only_bad(body: str) -> str:
    inner = "".join(f"\n  {line}" for line in body.splitlines())
    return f"if event['message'] == 'bad':{inner}\nevent['ok'] = True\nreturn event"


def test_an_endless_loop_costs_its_event_alone() -> None:
    step = made(only_bad(LOOP), timeout="1s")
    began = time.monotonic()
    found = parsed(step, *({"message": "bad" if n == 70 else "good"} for n in range(300)))
    assert time.monotonic() - began < 60
    failed = [n for n, event in enumerate(found) if not event.get("ok")]
    assert failed == [70]
    assert "took longer than 1 s" in found[70]["parse_error"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux")
def test_a_memory_bomb_costs_its_event_alone() -> None:
    step = made(only_bad(BOMB), memory_mib=32, timeout="10s")
    found = parsed(step, {"message": "good"}, {"message": "bad"}, {"message": "good"})
    assert [event.get("ok") for event in found] == [True, None, True]
    assert "memory" in found[1]["parse_error"]


def test_a_script_that_always_loops_takes_no_more_time_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are ended a few times, then the script rests; then it is tried again."""
    monkeypatch.setattr(runner, "_PAUSE_S", 2.0)
    step = made(LOOP, timeout="100ms")
    told = errors(step, *({"message": f"{n}"} for n in range(1000)))
    assert all(one and "took longer than 0.1 s" in one for one in told)
    began = time.monotonic()
    assert "took longer" in (errors(step, {"message": "x"})[0] or "")
    assert time.monotonic() - began < 0.5
    time.sleep(2)
    began = time.monotonic()
    errors(step, {"message": "x"})
    assert time.monotonic() - began > 0.2


def test_a_script_whose_first_lines_loop_does_not_start() -> None:
    step = Starlark(
        StarlarkConfig(script="X = [a for a in range(1000000000) if a < 0]\n" + script("return event"), timeout="10ms")
    )
    (told,) = errors(step, {"message": "a"})
    assert told is not None
    assert told.startswith("starlark: the script did not start: it ")


def test_a_process_that_is_killed_is_replaced() -> None:
    step = made("event['ok'] = True\nreturn event")
    assert parsed(step, {"message": "a"})[0]["ok"]
    child = process_of(step)
    child.kill()
    assert parsed(step, {"message": "a"})[0]["ok"]
    second = process_of(step)
    os.kill(second.pid, signal.SIGSTOP)  # as one that hangs
    quick = made("return event", timeout="300ms")
    assert errors(quick, {"message": "a"}) == [None]
    assert parsed(step, {"message": "a"})[0]["ok"]
    assert not second.is_running() or second.status() == psutil.STATUS_ZOMBIE


def test_a_step_that_is_gone_leaves_no_process() -> None:
    step = made("return event")
    parsed(step, {"message": "a"})
    child = process_of(step)
    del step
    child.wait(10)


def test_several_threads_share_a_step() -> None:
    step = made("event['twice'] = event['n'] * 2\nreturn event")
    wrong: list[object] = []

    def work(first: int) -> None:
        found = parsed(step, *({"n": n, "message": "m"} for n in range(first, first + 300)))
        wrong.extend(event for event in found if event.get("twice") != event["n"] * 2)

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_opens_no_file_and_knows_nothing_of_us() -> None:
    """What a hole in the language could reach: the process has no environment, and may open nothing."""
    step = made("return event")
    parsed(step, {"message": "a"})
    child = process_of(step)
    assert child.environ() == {} or set(child.environ()) <= {"LC_CTYPE"}
    assert child.rlimit(psutil.RLIMIT_NOFILE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert not child.net_connections()


PIPELINE = """
version: 1
sources: {a: {type: http}}
pipelines:
  p:
    from: [a]
    parse:
      - type: starlark
        on_error: dead_letter
        script: |
SCRIPT
"""


def config(body: str, *, indent: str = "          ") -> str:
    return PIPELINE.replace("SCRIPT", "".join(f"{indent}{line}\n" for line in body.splitlines()))


def test_what_it_fails_on_is_a_dead_letter() -> None:
    registry = load_plugins()
    loaded = load_text(config(script(only_bad("fail('no')"))), registry)
    outcome = RunningPipeline(loaded.pipelines["p"], registry).run(
        Batch.from_records([{"message": "good"}, {"message": "bad"}]), "a"
    )
    assert [event["message"] for event in outcome.batch.events()] == ["good"]
    (fallen,) = outcome.fallen
    assert (fallen.rows.to_list(), fallen.parser) == ([1], "starlark")
    assert "no" in fallen.reasons[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("def apply(event):\n  return (", "no Starlark", id="syntax"),
        pytest.param("while True: pass", "no Starlark", id="while"),
        pytest.param("load('a', 'b')\ndef apply(e):\n  return e", "no Starlark", id="load"),
        pytest.param("def other(event):\n  return event", "lacks its function", id="function"),
    ],
)
def test_a_broken_script_is_no_configuration(body: str, said: str) -> None:
    with pytest.raises(ConfigErrors, match=r"pipelines\.p\.parse\[0\]\.script") as caught:
        load_text(config(body), load_plugins())
    assert said in str(caught.value)


def test_the_child_imports_nothing_of_ours() -> None:
    text = (Path(runner.__file__).parent / "child.py").read_text()
    imports: Sequence[str] = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in imports if "cordwood" in line or line.startswith("from .")]
