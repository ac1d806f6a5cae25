"""Datadog's intake: every form of body, statuses and tags, and Datadog's own client against a server."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
from cordwood.plugins import RejectedError
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources import datadog
from cordwood.sources.datadog import MAX_TAGS, Datadog, DatadogConfig

from ..conftest import Server
from .wire import received, request

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}
TIME = "2026-01-31T12:00:00.000000000Z"
ONE = {
    "message": "disk full",
    "status": "error",
    "hostname": "web-1",
    "service": "shop",
    "ddsource": "nginx",
    "ddtags": "env:prod,url:http://x,beta,env:eu",
    "timestamp": 1769860800000,
    "dd": {"trace_id": "77"},
    "http": {"status": 500},
}
EVENT = {
    "timestamp": TIME, "severity": "ERROR", "service": "shop", "host": "web-1", "message": "disk full",
    "trace_id": "77", "ddsource": "nginx", "ddtags": "beta", "env": "prod,eu", "url": "http://x", "http.status": 500,
}  # fmt: skip
test_contract = http_source_contract(
    Datadog,
    [
        (request("/api/v2/logs", json.dumps([ONE, ONE]).encode(), headers=JSON), 2),
        (request("/v1/input/key", b"one\ntwo", headers=TEXT, key="key"), 2),
    ],
)


async def sent(body: bytes, headers: dict[str, str] = JSON, path: str = "/api/v2/logs") -> list[dict[str, Any]]:
    answer, events = await received(Datadog(DatadogConfig()), request(path, body, headers=headers))
    assert (answer.status, answer.body) == (202, b"{}")
    return events


def test_examples() -> None:
    assert doctest.testmod(datadog).failed == 0


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(json.dumps([ONE]).encode(), JSON, id="array"),
        pytest.param(json.dumps(ONE).encode(), JSON, id="object"),
        pytest.param(json.dumps(ONE, indent=2).encode(), JSON, id="pretty"),
        pytest.param(json.dumps([ONE]).encode(), {}, id="untyped"),
        pytest.param(json.dumps(ONE).encode() + b"\n", {"content-type": "application/json;simple"}, id="line"),
    ],
)
async def test_every_form_becomes_the_same_event(body: bytes, headers: dict[str, str]) -> None:
    assert await sent(body, headers) == [EVENT]


async def test_lines_with_what_the_query_says() -> None:
    path = "/api/v2/logs?hostname=web-1&service=shop&ddsource=nginx&ddtags=env:prod,team:a"
    shared = {"service": "shop", "host": "web-1", "ddsource": "nginx", "env": "prod", "team": "a"}
    events = await sent(b"one\ntwo\n", TEXT, path)
    assert [event.pop("timestamp")[:2] for event in events] == ["20", "20"]
    assert events == [shared | {"message": "one"}, shared | {"message": "two"}]
    (event,) = await sent(json.dumps([ONE]).encode(), JSON, path)
    assert event == EVENT


@pytest.mark.parametrize(
    ("status", "severity", "left"),
    [
        ("critical", "ERROR2", None),
        ("Warn", "WARN", None),
        ("ok", "INFO", None),
        (3, "ERROR", None),
        ("0", "FATAL", None),
        (200, None, 200),
        ("odd", None, "odd"),
    ],
)
async def test_statuses(status: object, severity: str | None, left: object) -> None:
    (event,) = await sent(json.dumps([{"message": "m", "status": status}]).encode())
    assert (event.get("severity"), event.get("status")) == (severity, left)


async def test_tags_do_not_win_over_what_an_event_has() -> None:
    events = await sent(
        json.dumps(
            [
                {"ddtags": "env:prod,n:x,service:tagged,message:t,a:1", "env": "own", "n": 5},
                {"ddtags": "env:prod,n:x", "service": "own"},
                {"ddtags": ""},
                {"message": "none"},
            ]
        ).encode()
    )
    for event in events:
        del event["timestamp"]
    assert events == [
        {"service": "tagged", "env": "own", "ddtags.env": "prod", "n": 5, "ddtags.n": "x", "ddtags.message": "t",
         "a": "1"},
        {"service": "own", "env": "prod", "n": "x"},
        {},
        {"message": "none"},
    ]  # fmt: skip


async def test_names_of_tags_are_bounded() -> None:
    tags = [f"name{number}:v" for number in range(1000)]
    (event,) = await sent(json.dumps([{"message": "m", "ddtags": ",".join(tags)}]).encode())
    assert event["ddtags"].split(",") == tags[MAX_TAGS:]
    assert event["name0"] == "v"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b" [{}] "])
async def test_a_knock_stores_nothing(body: bytes) -> None:
    assert await sent(body) == []


async def test_a_bad_line_is_kept_and_a_bad_array_is_not() -> None:
    events = await sent(b'{"message":"a"}\n{"message":\n{"message":"b"}', {"content-type": "application/x-ndjson"})
    assert ["parse_error" in event for event in events] == [False, True, False]
    with pytest.raises(RejectedError, match="array"):
        await sent(b'[{"message":')


def test_refusals() -> None:
    source = Datadog(DatadogConfig())
    for status, answered in ((401, 403), (403, 403), (400, 400), (413, 413), (429, 429), (503, 503)):
        refusal = source.refusal({}, status, "why")
        (error,) = json.loads(refusal.body)["errors"]
        assert (refusal.status, error["status"], error["detail"]) == (answered, str(answered), "why")


def test_its_own_client_against_a_server(server: Server) -> None:
    from datadog_api_client import ApiClient, Configuration
    from datadog_api_client.v1.api.authentication_api import AuthenticationApi
    from datadog_api_client.v2.api.logs_api import LogsApi
    from datadog_api_client.v2.model.content_encoding import ContentEncoding
    from datadog_api_client.v2.model.http_log import HTTPLog
    from datadog_api_client.v2.model.http_log_item import HTTPLogItem

    settings = Configuration(host=server.url, api_key={"apiKeyAuth": "any"})
    items = [HTTPLogItem(message=f"dd {n}", service="shop", hostname="web-1", ddtags="env:prod") for n in range(1000)]
    with ApiClient(settings) as client:
        assert AuthenticationApi(client).validate().valid
        logs = LogsApi(client)
        logs.submit_log(body=HTTPLog(items))
        for packing in ("GZIP", "DEFLATE"):
            logs.submit_log(body=HTTPLog(items[:10]), content_encoding=getattr(ContentEncoding, packing))
    rows = server.query("service:shop env:prod host:web-1 | stats count() as n, distinct_exact(message) as d")
    assert rows == [{"n": 1020, "d": 1000}]
    status, body = server.call("POST", "/api/v2/logs", b"[{", JSON)
    assert (status, json.loads(body)["errors"][0]["status"]) == (400, "400")
