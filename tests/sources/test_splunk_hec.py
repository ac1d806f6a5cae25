"""Splunk's endpoint: events of every form, its codes, acknowledgements, and a handler of others against a server."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources import splunk_hec
from cordwood.sources.splunk_hec import SplunkHec, SplunkHecConfig

from ..conftest import Server
from .wire import received, request

pytestmark = pytest.mark.anyio
CHANNEL = "934793C0-FC91-467E-965C-5EA1EF1E0D3B"
AT = 1769860800
TIME = "2026-01-31T12:00:00.000000000Z"
test_contract = http_source_contract(
    SplunkHec,
    [
        (request("/services/collector", b'{"event":"a"}{"event":{"message":"b"}}'), 2),
        (request("/services/collector/event", b'[{"event":"a"},{"event":"b"}]'), 2),
        (request("/services/collector/raw?host=h", b"a\nb\nc"), 3),
    ],
)


def source() -> SplunkHec:
    return SplunkHec(SplunkHecConfig())


async def sent(body: bytes, path: str = "/services/collector") -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    answer, events = await received(source(), request(path, body))
    return answer.status, json.loads(answer.body), events


FIRST = {
    "event": "disk }{ full",
    "time": AT,
    "host": "web-1",
    "source": "/var/log/x",
    "sourcetype": "syslog",
    "index": "main",
}
SECOND = {
    "event": {"message": "m", "level": "warn", "host": "inner", "http": {"status": 402}},
    "time": "1769860800.25",
    "host": "web-2",
    "fields": {"user": "42", "level": "x"},
}
EVENTS = [
    {"timestamp": TIME, "host": "web-1", "source": "/var/log/x", "sourcetype": "syslog", "index": "main",
     "message": "disk }{ full"},
    {"timestamp": TIME.replace(".00", ".25"), "host": "web-2", "event.host": "inner", "severity": "WARN",
     "severity_text": "warn", "message": "m", "http.status": 402, "user": "42", "fields.level": "x"},
]  # fmt: skip
ONE, TWO = json.dumps(FIRST).encode(), json.dumps(SECOND).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ONE + TWO, id="behind-each-other"),
        pytest.param(ONE + b"\n" + TWO + b"\n", id="lines"),
        pytest.param(ONE + b" \r\n\t" + TWO, id="space"),
        pytest.param(b"[" + ONE + b"," + TWO + b"]", id="array"),
        pytest.param(json.dumps(FIRST, indent=2).encode() + json.dumps(SECOND, indent=2).encode(), id="pretty"),
        pytest.param(ONE.replace(b"}{", b"} {").replace(b"} {", b"}{") + TWO, id="a-text-that-looks-like-an-end"),
    ],
)
async def test_every_form_becomes_the_same_events(body: bytes) -> None:
    status, answer, events = await sent(body)
    assert (status, answer) == (200, {"text": "Success", "code": 0})
    assert events == EVENTS


async def test_values_that_are_no_text_are_messages() -> None:
    _, _, events = await sent(b'{"event":42}{"event":[1,"a"]}{"event":true}')
    assert [event["message"] for event in events] == ["42", '[1,"a"]', "true"]


@pytest.mark.parametrize(
    ("body", "code", "number", "stored"),
    [
        pytest.param(b" \n", 5, None, 0, id="nothing"),
        pytest.param(b"no json", 6, 0, 0, id="no-json"),
        pytest.param(b'{"event":"a"}{"event":', 6, 1, 1, id="cut"),
        pytest.param(b'{"event":"a"}{"event":NaN}', 6, 1, 1, id="nan"),
        pytest.param(b'{"event":"a"}{"event":"b","fields":[1]}', 6, 1, 1, id="fields"),
        pytest.param(b'{"event":"a"}{"event":"\xff"}', 6, 0, 0, id="no-utf8"),
        pytest.param(b'{"event":"a"}' + b'{"event":' * 100_000, 6, 1, 1, id="deep"),
        pytest.param(b'{"event":"a"}{"host":"b"}{"event":"c"}', 12, 1, 1, id="no-event"),
        pytest.param(b'{"event":null}', 12, 0, 0, id="null"),
        pytest.param(b'{"event":"a"}\n{"event":"b"}\n{"event":""}', 13, 2, 2, id="blank"),
    ],
)
async def test_codes(body: bytes, code: int, number: int | None, stored: int) -> None:
    status, answer, events = await sent(body)
    assert (status, answer["code"], answer.get("invalid-event-number")) == (400, code, number)
    assert len(events) == stored


async def test_raw_lines() -> None:
    path = f"/services/collector/raw/1.0?host=web-1&source=s&sourcetype=t&index=i&time={AT}"
    status, answer, events = await sent(b"one\r\ntwo\n\xff", path)
    assert (status, answer["code"]) == (200, 0)
    shared = {"timestamp": TIME, "host": "web-1", "source": "s", "sourcetype": "t", "index": "i"}
    assert events[:2] == [shared | {"message": "one"}, shared | {"message": "two"}]
    assert len(events) == 3
    assert (await sent(b"one", "/services/collector/raw?time=soon"))[1]["code"] == 6


async def test_acknowledgements(monkeypatch: pytest.MonkeyPatch) -> None:
    hec = source()

    async def call(path: str, body: bytes, channel: str = CHANNEL) -> Any:
        asked = request(path, body, headers={"x-splunk-request-channel": channel} if channel else {})
        return json.loads((await received(hec, asked))[0].body)

    assert [(await call("/services/collector", ONE))["ackId"] for _ in range(2)] == [0, 1]
    assert (await call(f"/services/collector/raw?channel={CHANNEL}", b"x", ""))["ackId"] == 2
    asked = b'{"acks":[0,2,3,-1]}'
    assert await call("/services/collector/ack", asked) == {"acks": {"0": True, "2": True, "3": False, "-1": False}}
    assert (await call("/services/collector/ack", asked, CHANNEL.replace("9", "8")))["acks"]["0"] is False
    assert (await call("/services/collector/ack", asked, ""))["code"] == 10
    assert (await call("/services/collector/ack", b"[]"))["code"] == 6
    assert (await call("/services/collector", ONE, "my channel"))["code"] == 11
    monkeypatch.setattr(splunk_hec, "MAX_CHANNELS", 1)
    await call("/services/collector", ONE, CHANNEL.replace("9", "8"))
    assert (await call("/services/collector/ack", asked))["acks"]["0"] is False


@pytest.mark.parametrize(
    ("authorization", "status", "answered"),
    [
        (None, 401, (401, 2)),
        ("Splunk", 401, (401, 3)),
        ("Splunk nonsense", 401, (403, 4)),
        ("Splunk x", 403, (403, 1)),
        ("Splunk x", 429, (429, 9)),
        ("Splunk x", 503, (503, 9)),
        ("Splunk x", 413, (413, 27)),
        ("Splunk x", 400, (400, 6)),
    ],
)
def test_refusals(authorization: str | None, status: int, answered: tuple[int, int]) -> None:
    headers = {"authorization": authorization} if authorization else {}
    refusal = source().refusal(headers, status, "detail")
    assert (refusal.status, json.loads(refusal.body)["code"]) == answered


def test_a_handler_of_others_against_a_server(server: Server) -> None:
    from splunk_handler import SplunkHandler

    options = {"host": "127.0.0.1", "port": server.port, "protocol": "http", "token": "any", "index": "main"}
    handler = SplunkHandler(**options, hostname="web-1", source="tests", sourcetype="text", flush_interval=0.2)
    logger = logging.Logger("splunk")
    logger.addHandler(handler)
    for number in range(1000):
        logger.warning("hec %d", number)
    handler.force_flush()
    handler.shutdown()
    rows = server.query("host:web-1 | fields message, index, sourcetype, source", limit=2000)
    assert sorted(row["message"] for row in rows) == sorted(f"hec {number}" for number in range(1000))
    assert {(row["index"], row["sourcetype"], row["source"]) for row in rows} == {("main", "text", "tests")}
    status, body = server.call("GET", "/services/collector/health")
    assert (status, json.loads(body)) == (200, {"text": "HEC is healthy", "code": 17})
    status, body = server.call("POST", "/services/collector", b"x", {"Content-Encoding": "gzip"})
    assert (status, json.loads(body)["code"]) == (400, 6)
