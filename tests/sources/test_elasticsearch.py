"""Elasticsearch's endpoint: bulk bodies of every kind, an answer an item, starts of clients, and a real client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cordwood.plugins import RejectedError
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources.elasticsearch import Elasticsearch, ElasticsearchConfig, read_bulk

from ..conftest import Server
from .wire import received, request

pytestmark = pytest.mark.anyio
TWO = b'{"index":{"_index":"web"}}\n{"message":"a","n":1}\n{"create":{"_index":"web"}}\n{"message":"b"}\n'
test_contract = http_source_contract(
    Elasticsearch,
    [
        (request("/_bulk", TWO), 2),
        (request("/logs/_bulk", TWO, index="logs"), 2),
        (request("/logs/_doc", b'{\n"a": 1}', index="logs"), 1),
    ],
)


def source() -> Elasticsearch:
    return Elasticsearch(ElasticsearchConfig())


async def bulk(body: bytes, path: str = "/_bulk", **params: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answer, events = await received(source(), request(path, body, **params))
    assert (answer.status, answer.headers["X-Elastic-Product"]) == (200, "Elasticsearch")
    return json.loads(answer.body), events


async def test_every_item_is_answered_in_order() -> None:
    body = (
        b'{"index":{"_index":"x","_id":"7"}}\n{"message":"one"}\n{"delete":{"_index":"x","_id":"1"}}\n'
        b'{"update":{"_id":"1"}}\n{"doc":{"a":1}}\n{"create":{}}\nno json\n'
    )
    answer, events = await bulk(body, "/logs/_bulk", index="logs")
    assert answer["errors"] is True
    items = [(op, item["_index"], item["status"]) for entry in answer["items"] for op, item in entry.items()]
    assert items == [("index", "x", 201), ("delete", "x", 400), ("update", "logs", 400), ("create", "logs", 201)]
    assert answer["items"][0]["index"]["_id"] == "7"
    assert answer["items"][1]["delete"]["error"]["type"] == "illegal_argument_exception"
    assert [event["message"] for event in events] == ["one", "no json"]
    assert [(event["_index"], event.get("_id")) for event in events] == [("x", "7"), ("logs", None)]
    assert "parse_error" in events[1]


async def test_fields_of_ecs() -> None:
    document = {
        "@timestamp": "2026-01-31T12:00:00.123Z",
        "log": {"level": "error"},
        "service": {"name": "shop"},
        "host": {"name": "web-1"},
        "trace": {"id": "abc"},
        "span": {"id": "def"},
        "message": "m",
        "http": {"response": {"status_code": 500}},
    }
    _, events = await bulk(b'{"index":{}}\n' + json.dumps(document).encode())
    assert events == [
        {
            "timestamp": "2026-01-31T12:00:00.123000000Z",
            "severity": "ERROR",
            "severity_text": "error",
            "service": "shop",
            "host": "web-1",
            "trace_id": "abc",
            "span_id": "def",
            "message": "m",
            "http.response.status_code": 500,
        }
    ]


@pytest.mark.parametrize(
    ("filter_path", "expected"),
    [
        ("errors,items.*.error,items.*.status", {"errors": False, "items": [{"index": {"status": 201}}] * 2}),
        ("errors", {"errors": False}),
        ("items.*.error", {}),
    ],
)
async def test_filter_path(filter_path: str, expected: dict[str, Any]) -> None:
    answer, _ = await bulk(TWO.replace(b"create", b"index"), f"/_bulk?filter_path={filter_path}")
    assert answer == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"\n \r\n", "request body is required", id="empty"),
        pytest.param(b"x\n{}\n", r"line \[1\]", id="no-action"),
        pytest.param(b'{"index":{}}\n{"a":1}\n{"drop":{}}\n{}\n', r"line \[3\], expected field", id="unknown"),
        pytest.param(b'{"index":{}}\n{"a":1}\n{"create":{}}\n', r"line \[3\], no document", id="cut"),
        pytest.param(b'{"index":7}\n{"a":1}\n', r"line \[1\]", id="no-object"),
        pytest.param(b'{"index":{"_index":"\xff"}}\n{"a":1}\n', r"line \[1\]", id="no-utf8"),
        pytest.param(b'{"index":' * 100_000, r"line \[1\]", id="deep"),
    ],
)
async def test_a_body_that_is_no_bulk_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        await received(source(), request("/_bulk", body))


async def test_documents_of_any_bytes_are_kept() -> None:
    lines = [
        b"\xef\xbb\xbf",
        b"[1]",
        b"null",
        b"\xff\xfe",
        b'{"_index":"own","a":' + b"[" * 50_000,
        b'{"_index":"own"}',
    ]
    _, events = await bulk(b"".join(b'{"index":{"_index":"i"}}\n' + line + b"\n" for line in lines))
    assert len(events) >= 5
    assert events[-1]["_index"] == "own"


def test_fast_and_slow_reading_agree() -> None:
    fast = read_bulk(TWO * 50)
    slow = read_bulk(TWO * 50 + b'{"delete":{}}\n')
    assert (list(fast.items), list(fast.documents)) == (list(slow.items)[:-1], list(slow.documents))


def test_the_root_belongs_to_clients_only() -> None:
    es = source()
    assert es.concerns("/_bulk", {})
    assert not es.concerns("/", {})
    assert not es.concerns("/", {"accept": "*/*", "user-agent": "curl/8"})
    assert not es.concerns("/", {"accept": "text/html,application/json"})
    assert es.concerns("/", {"accept": "application/json"})
    assert es.concerns("/", {"user-agent": "Elastic-filebeat/8.1.0 (linux)"})


def test_a_client_of_others_against_a_server(server: Server) -> None:
    from elasticsearch import ApiError, helpers
    from elasticsearch import Elasticsearch as Client

    with Client(server.url) as client:
        assert client.info()["version"]["number"] == "8.19.0"
        assert client.cluster.health()["status"] == "green"
        assert client.ping()
        assert client.indices.exists_index_template(name="logs")
        assert client.ilm.put_lifecycle(name="logs", policy={})["acknowledged"]
        documents = [{"_index": "x", "message": f"es {i}", "service": "c-es"} for i in range(1000)]
        assert helpers.bulk(client, documents) == (1000, [])
        named = [{"_index": "x", "_id": str(i), "message": f"es {i}", "service": "c-ids"} for i in range(10)]
        for _ in range(2):
            assert helpers.bulk(client, named)[0] == 10
        assert client.index(index="x", document={"message": "one", "service": "c-one"})["result"] == "created"
        with pytest.raises(ApiError, match="Malformed"):
            client.bulk(operations=[{"what": {}}, {}])
    rows = server.query("service:c-* | fields service, message", limit=5000)
    found = sorted((row["service"], row["message"]) for row in rows)
    bulks = [("c-es", f"es {i}") for i in range(1000)] + [("c-ids", f"es {i}") for i in range(10)]
    assert found == sorted([*bulks, ("c-one", "one")])
