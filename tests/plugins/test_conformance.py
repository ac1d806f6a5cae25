"""The kit passes what is right, and names what is wrong."""

from typing import Any

import polars as pl
import pytest
from cordwood.detectors.threshold import Threshold
from cordwood.notifiers.webhook import Webhook
from cordwood.parsers.clf import Clf
from cordwood.parsers.grok import Grok
from cordwood.parsers.json import Json
from cordwood.parsers.kv import Kv
from cordwood.parsers.logfmt import Logfmt
from cordwood.parsers.redact import Redact
from cordwood.parsers.regex import Regex
from cordwood.parsers.timestamp import Timestamp
from cordwood.plugins import Batch, HttpRequest, Notification, Notifier, Parser, PluginConfig
from cordwood.plugins.conformance import (
    Scenario,
    detector_contract,
    http_source_contract,
    notifier_contract,
    parser_contract,
    source_contract,
)
from cordwood.sources.file import File
from cordwood.sources.http import Http

test_json = parser_contract(
    Json, lines=['{"level": "info", "msg": "x", "a": {"b": [1]}, "time": "2026-01-31T12:00:00Z"}']
)
test_regex = parser_contract(
    Regex, {"pattern": r"^(?P<level>\w+) (?P<n>\d+) (?P<msg>.*)$", "types": {"n": "int"}}, ["info 5 hello"]
)
test_timestamp = parser_contract(Timestamp, {"field": "message", "format": "%b %d %H:%M:%S"}, ["Jan 15 10:00:00"])
test_clf = parser_contract(Clf, lines=['1.2.3.4 - - [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5'])
test_logfmt = parser_contract(Logfmt, lines=['level=info msg="a \\"b\\"" n=1', "a=", "a=1 b"])
test_kv = parser_contract(Kv, {"pair": "; ", "key": ": "}, ["a: 1; b: x y"])
test_grok = parser_contract(Grok, {"pattern": "%{LOGLEVEL:level} %{INT:n:int}"}, ["INFO 7"])
test_redact = parser_contract(
    Redact, {"fields": ["message"], "patterns": ["card", "email", "token", "password"]}, ["a@example.org", "x"]
)
test_timestamp_auto = parser_contract(Timestamp, {"field": "message"}, ["2026-01-15T10:00:00Z", "1769860800"])


def scene(folder: Any) -> Scenario:
    async def feed() -> None:
        for i in range(5):
            (folder / f"{i}.log").write_text("".join(f"{i} {n}\n" for n in range(100)))

    return Scenario({"include": [f"{folder}/*.log"], "poll": "10ms"}, feed, 500)


test_file = source_contract(File, scene)
NDJSON = HttpRequest("POST", "/api/v1/logs", {}, {}, {"content-type": "application/x-ndjson"}, b'{"a": 1}\n{"a": 2}')
TEXT = HttpRequest("POST", "/api/v1/logs", {}, {}, {}, b"one\ntwo\nthree")
test_http = http_source_contract(Http, [(NDJSON, 2), (TEXT, 3)])
test_threshold = detector_contract(
    Threshold,
    {"query": "severity>=error | stats count() as n by service", "condition": "n > 50"},
    trouble=[{"service": "pay", "n": 60}],
    groups=("service",),
)
test_webhook = notifier_contract(Webhook, lambda url: {"url": f"{url}/hook"})


class BareConfig(PluginConfig):
    """Settings."""

    bare: int = 1


class BadParser(Parser[BareConfig]):
    type = "Bad-Parser"

    def parse(self, batch: Batch) -> Batch:
        if not len(batch):
            raise ValueError("nothing")
        return Batch(batch.frame.filter(pl.col("message").str.len_bytes() > 0).reverse())


class Deaf(Notifier[BareConfig]):
    """Tells nobody."""

    async def notify(self, notification: Notification) -> str:
        return ""


def failures(contract: Any) -> dict[str, str]:
    (marker,) = contract.pytestmark
    found = {}
    for case in marker.args[1]:
        try:
            contract(case.values[0])
        except AssertionError as why:
            found[case.id] = str(why)
    return found


def test_kit_names_what_is_wrong_with_a_parser() -> None:
    found = failures(parser_contract(BadParser, lines=["a", "b"]))
    assert "not snake case" in found["class name"]
    assert "has no docstring" in found["class docstring"]
    assert "without a description: bare" in found["settings are described"]
    assert "parse raised ValueError: nothing" in found["empty batch"]
    assert "rows became" in found["hostile lines"]
    assert "the order of rows changed" in found["understands its lines"]


def test_kit_names_what_is_wrong_with_a_notifier() -> None:
    found = failures(notifier_contract(Deaf, lambda url: {}))
    assert "in a few words" in found["success"]
    assert "RetryableError" in found["unreachable"]
    assert "RejectedError" in found["permanent failure"]
    assert "did not answer" in found["cancellation"]


def test_notifier_needs_a_peer() -> None:
    with pytest.raises(TypeError, match="either config"):
        notifier_contract(Deaf)
