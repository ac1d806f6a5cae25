"""Rules in the Sigma format: each finds exactly the events that it should; what cannot be converted is listed."""

from __future__ import annotations

import doctest
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from cordwood.core.query import QueryRequest
from cordwood.detectors.sigma import Sigma, SigmaConfig
from cordwood.plugins import FatalError

pytestmark = pytest.mark.anyio
RULES = Path(__file__).with_name("sigma")
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND


def documents() -> list[dict[str, Any]]:
    return [one for file in sorted(RULES.glob("*.yml")) for one in yaml.safe_load_all(file.read_text()) if one]


def sigma(path: Path, **more: Any) -> Sigma:
    return Sigma(SigmaConfig(path=str(path), **more))


async def test_every_rule_hits_what_it_should(judge: Any) -> None:
    """All events of all rules lie in one store, so a rule must also let those of the others alone; see `mine`."""
    rules, unsupported = sigma(RULES).read()
    given = documents()
    assert unsupported == []
    assert [rule.title for rule in rules] == [one["title"] for one in given]
    assert len(rules) >= 110
    assert all(one["hits"] and one["misses"] for one in given)
    events = [
        {**event, "rule": one["title"], "wanted": wanted, "number": i}
        for one in given
        for wanted, found in (("hit", one["hits"]), ("miss", one["misses"]))
        for i, event in enumerate(found)
    ]
    await judge.commit(*({name: value for name, value in event.items() if value is not None} for event in events))
    head = await judge.store.catalog.head(1)
    for rule, one in zip(rules, given, strict=True):
        mine = f"{rule.search} | where rule = {json.dumps(one['title'], ensure_ascii=False)} | fields wanted, number"
        request = QueryRequest(text=mine, project_id=1, now_ns=T0, upto_position=head)
        found = sorted((row["wanted"], row["number"]) for row in (await judge.engine.run(request)).objects())
        assert found == [("hit", i) for i in range(len(one["hits"]))], (rule.title, rule.search)


async def test_together_as_one_by_one(judge: Any) -> None:
    """The detector asks for many rules at once and finds what each finds alone."""
    detector = sigma(RULES, by=[])
    rules, _ = detector.read()
    given = documents()
    await judge.commit(*({**one["hits"][0], "message": one["hits"][0].get("message", "x")} for one in given))
    head = await judge.store.catalog.head(1)
    wanted = {}
    for rule in rules:
        asked = QueryRequest(text=f"{rule.search} | stats count() as n", project_id=1, now_ns=T0, upto_position=head)
        (row,) = (await judge.engine.run(asked)).objects()
        wanted[rule.title] = row["n"]
    found = await judge.found(detector)
    assert {one.values["rule"]: one.values["events"] for one in found} == wanted
    assert min(wanted.values()) >= 1
    by_title = {one.values["rule"]: one for one in found}
    critical = by_title["Log4Shell"]
    assert (critical.severity, by_title["Denied calls"].severity) == ("fatal", "info")
    assert await judge.samples(critical) == ["GET /?x=${jndi:ldap://e/a} HTTP/1.1"]


async def test_fields_sources_levels_and_groups(judge: Any, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(
        "title: A\nlevel: high\nlogsource: {product: linux, category: process_creation}\n"
        "detection: {s: {CommandLine|contains: evil}, condition: s}\n"
        "---\ntitle: B\nlevel: low\nlogsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}\n"
    )
    detector = sigma(
        tmp_path / "rules", level="medium", fields={"CommandLine": "process.command_line"}, by=["host"],
        sources={"linux": "os:linux", "linux/process_creation": "kind=start service:audit", "windows": "os:windows"},
    )  # fmt: skip
    rules, _ = detector.read()
    assert [rule.search for rule in rules] == ['(os:linux) (kind=start service:audit) (`process.command_line`~"evil")']
    start = {"os": "linux", "kind": "start", "service": "audit", "process.command_line": "be EVIL", "message": "m"}
    await judge.commit({**start, "host": "h1"}, {**start, "host": "h2"}, {**start, "kind": "stop", "host": "h3"})
    found = await judge.found(detector)
    assert sorted(one.group["host"] for one in found) == ["h1", "h2"]
    assert found[0].title.startswith("errors: A: 1 event for host h")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("detection: {s: {x|re: '(?=a)b'}, condition: s}", "invalid perl operator"),
        ("detection: {s: {x|hour: 3}, condition: s}", "a part of a time"),
        ("detection: {s: {x|expand: '%names%'}, condition: s}", "placeholder"),
        ("detection: {s: {x|nonsense: 3}, condition: s}", "nonsense"),
        ("detection: {s: {x: 3}, condition: t}", "t"),
        ("detection: {s: {x: 3}, condition: [s, not s]}", "2 conditions"),
        (
            "correlation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 3}}",
            "correlation",
        ),
    ],
)
def test_what_cannot_be_is_listed(rule: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(f"title: T\nlogsource: {{product: linux}}\n{rule}\n")
    rules, (unsupported,) = sigma(path).read()
    assert rules == []
    assert unsupported.title == "T"
    assert reason in unsupported.reason


def test_files_that_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("a: [")
    (tmp_path / "b.yaml").write_text("just a text")
    (tmp_path / "c.txt").write_text("title: not looked at")
    rules, unsupported = sigma(tmp_path).read()
    assert rules == []
    assert [Path(one.path).name for one in unsupported] == ["a.yml", "b.yaml"]
    with pytest.raises(FatalError, match="cannot be read"):
        sigma(tmp_path / "nowhere").read()


async def test_what_a_rule_says_stays_text(judge: Any, tmp_path: Path) -> None:
    """Quotes, slashes, backticks and pipes of a rule end nothing in the query."""
    nasty = [
        '"',
        "'",
        "`",
        "/",
        "\\\\",
        "| limit 0",
        'a" or *',
        "x` or `y",
        ")",
        "/i or *",
        "\\n",
        "--",
        "'; drop",
        "(?s)",
    ]
    values = [f"b{text}e" for text in nasty]
    for i, text in enumerate(values):
        plain = {
            "title": f"r{i}",
            "logsource": {"product": "x"},
            "detection": {"s": {f'f`{i}"': text}, "condition": "s"},
        }
        (tmp_path / f"{i:02}.yml").write_text(yaml.safe_dump(plain))
    rules, unsupported = sigma(tmp_path).read()
    assert unsupported == []
    told = [text.replace("\\\\", "\\") for text in values]
    await judge.commit(*({f'f`{i}"': text, "message": str(i)} for i, text in enumerate(told)), {"message": "other"})
    found = await judge.found(sigma(tmp_path, by=[]))
    assert sorted(one.values["rule"] for one in found) == sorted(rule.title for rule in rules)
    assert {one.values["events"] for one in found} == {1}


def test_the_command_lists_what_cannot_be(tmp_path: Path) -> None:
    rule = "title: {}\nlogsource: {{product: x}}\ndetection: {{s: {{Image|endswith: '/a', h|{}: 1}}, condition: s}}\n"
    (tmp_path / "a.yml").write_text(rule.format("Good", "gt"))
    (tmp_path / "b.yml").write_text(rule.format("Bad", "hour"))
    (tmp_path / "c.yml").write_text(rule.format("Worse", "minute"))
    (tmp_path / "d.yml").write_text("title: Sum\ncorrelation: {type: event_count}\n")

    def cordwood(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "cordwood"), "sigma", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | {"COLUMNS": "300"})

    checked = cordwood("check", str(tmp_path))
    assert checked.returncode == 1
    assert "Bad" in checked.stdout
    assert "a part of a time" in checked.stdout
    assert "3 of 4 rules are not supported" in checked.stderr
    summary = [line.split(maxsplit=1) for line in checked.stdout.splitlines() if line[:1].isdigit()]
    assert [(count, reason[:20]) for count, reason in summary] == [
        ("2", "a part of a time; us"),
        ("1", "a correlation of rul"),
    ]
    shown = cordwood("convert", str(tmp_path), "--field", "Image=exe")
    assert shown.returncode == 0
    assert "`exe`:/(?s)\\/a$/i and `h` > 1" in shown.stdout


@pytest.mark.parametrize("module", ["backend", "rules"])
def test_doctests(module: str) -> None:
    assert doctest.testmod(import_module(f"cordwood.detectors.sigma.{module}")).failed == 0
