"""Queries over HTTP: their forms, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
ARROW = "application/vnd.apache.arrow.stream"
ODD = ['say "hi", you', "two\r\nlines", "=1+2", "", " x ", "\u00fc\u2028"]


async def test_an_event_comes_back_as_it_went_in(client: Client) -> None:
    event = {
        "timestamp": "2026-01-31T12:00:00.123456789Z",
        "severity": "ERROR",
        "service": "checkout",
        "host": "web-1",
        "message": "card declined for user 42",
        "http.status": 402,
        "user": "42",
        "ok": False,
        "ratio": 0.5,
        "tags": ["a", 1],
    }
    await client.logs(event)
    answer = await client.post("/api/v1/query", json={"query": ""}, headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["x-query-complete"] == "true"
    (found,) = (json.loads(line) for line in answer.text.splitlines())
    assert {name: found[name] for name in event} == event


async def test_the_json_answer(client: Client) -> None:
    await client.logs(*({"service": "a" if i % 3 else "b", "n": i} for i in range(10)))
    answer = (await client.post("/api/v1/query", json={"query": "| stats count() as n by service"})).json()
    assert sorted(answer["rows"], key=str) == [["a", 6], ["b", 4]] or sorted(answer["rows"], key=str) == [
        [4, "b"],
        [6, "a"],
    ]
    assert {column["name"] for column in answer["columns"]} == {"service", "n"}
    assert answer["complete"] is True
    assert answer["warnings"] == []
    assert answer["stats"]["rows_scanned"] == 10
    assert set(answer["stats"]) == {
        "elapsed_ms",
        "rows_scanned",
        "bytes_scanned",
        "segments_scanned",
        "segments_pruned",
        "segments_cached",
    }


async def test_an_answer_of_an_age_is_shared_and_says_how_old_it_is(client: Client) -> None:
    async def asked(**more: Any) -> tuple[str, Any]:
        answer = await client.post("/api/v1/query", json={"query": "| stats count() as n", **more})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return answer.headers["age"], (found["rows"], found["columns"], found["complete"])

    await client.logs({"n": 1})
    first = [await asked(max_age=60) for _ in range(3)]  # the second is of the same answer, the third written before
    await client.logs({"n": 2})
    assert [await asked(max_age=60) for _ in range(2)] == first[1:] == first[:1] * 2
    assert first[0] == ("0", ([[1]], [{"name": "n", "type": "int"}], True))
    assert (await asked())[1][0] == [[2]]
    for wrong in (-1, 61, "soon"):
        assert (await client.post("/api/v1/query", json={"query": "", "max_age": wrong})).status_code == 400


async def test_newest_first_and_cut_by_the_limit(client: Client) -> None:
    await client.logs(*({"timestamp": f"2026-01-31T12:00:{i:02}Z", "n": i} for i in range(20)))
    answer = await client.post("/api/v1/query", json={"query": "", "limit": 3})
    assert answer.status_code == 200, answer.text
    answer = answer.json()
    at = [column["name"] for column in answer["columns"]].index("n")
    assert [row[at] for row in answer["rows"]] == [19, 18, 17]
    assert answer["complete"] is False


async def test_the_range_is_half_open_to_the_nanosecond(client: Client) -> None:
    times = ["2026-01-31T12:00:00.000000001Z", "2026-01-31T12:00:00.000000002Z", "2026-01-31T12:00:00.000000003Z"]
    await client.logs(*({"timestamp": time} for time in times))
    rows = await client.rows("", **{"from": times[0], "to": times[2]})
    assert [row["timestamp"] for row in rows] == [times[1], times[0]]
    rows = await client.rows("", **{"from": "2026-01-31T14:00:00.000000003+02:00"})
    assert [row["timestamp"] for row in rows] == [times[2]]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", ARROW])
async def test_own_tables_in_every_form(client: Client, accept: str) -> None:
    await client.logs({"service": "checkout"}, {"service": "checkout"})
    query = {"query": "from segments service:checkout | stats sum(rows) as events by service"}
    answer = await client.post("/api/v1/query", json=query, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    match accept:
        case "application/json":
            found = answer.json()["rows"]
        case "text/csv":
            found = [[service, int(events)] for service, events in list(csv.reader(io.StringIO(answer.text)))[1:]]
        case "application/x-ndjson":
            found = [list(json.loads(line).values()) for line in answer.text.splitlines()]
        case _:
            found = [list(row.values()) for row in pa.ipc.open_stream(answer.content).read_all().to_pylist()]
    assert found == [["checkout", 2]]


async def test_csv_keeps_every_value_as_it_is(client: Client) -> None:
    await client.logs(*({"message": text, "n": i, "list": [1, "x"]} for i, text in enumerate(ODD)))
    answer = await client.post(
        "/api/v1/query", json={"query": "| sort n | fields n, message, list"}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["n", "message", "list"]
    assert [row[1] for row in rows] == ODD
    assert all(json.loads(row[2]) == [1, "x"] for row in rows)
    assert answer.text.startswith("n,message,list\r\n")


async def test_arrow_keeps_types(client: Client) -> None:
    await client.logs(
        {"timestamp": "2026-01-31T12:00:00.000000001Z", "severity": "warn", "n": 1, "mixed": 1, "ok": True},
        {"timestamp": "2026-01-31T12:00:01Z", "n": 2, "mixed": "one"},
    )
    answer = await client.post(
        "/api/v1/query", json={"query": "| sort n"}, headers={"Accept": "application/vnd.apache.arrow.stream"}
    )
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.schema.field("timestamp").type == pa.timestamp("ns", tz="UTC")
    assert table.column("n").to_pylist() == [1, 2]
    assert table.column("severity").to_pylist() == ["WARN", None]
    assert table.column("mixed").to_pylist() == ["1", '"one"']


@pytest.mark.parametrize(
    "accept", ["application/vnd.apache.arrow.stream", "text/csv", "application/x-ndjson", "application/json"]
)
async def test_an_empty_answer_has_each_form(client: Client, accept: str) -> None:
    answer = await client.post(
        "/api/v1/query", json={"query": "service:none | stats count() as n by x"}, headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text


async def test_what_no_form_can_answer_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/query", json={"query": ""}, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/csv" in answer.json()["detail"]


async def test_a_wrong_query_names_the_place(client: Client) -> None:
    answer = await client.post("/api/v1/query", json={"query": "severity>=error | stat count()"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    (error,) = problem["errors"]
    assert (error["line"], error["column"]) == (1, 19)
    assert "stats" in f"{error['hint']}"


BODIES: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{nope", "no JSON"),
    "nothing": (b"", "empty"),
    "cut off": (b'{"query": "', "truncated"),
    "an array": (b"[]", "object"),
    "a text": (b'"query"', "object"),
    "no query": (b"{}", "query"),
    "a number for the query": (b'{"query": 1}', "/query"),
    "a lone surrogate": (b'{"query": "\\ud800"}', "no JSON"),
    "invalid UTF-8": (b'{"query": "\xff"}', "UTF-8"),
    "a negative limit": (b'{"query": "", "limit": -1}', "/limit"),
    "no time": (b'{"query": "", "from": "yesterday"}', "/from"),
    "a time that no calendar has": (b'{"query": "", "to": "2026-02-30T00:00:00Z"}', "/to"),
    "no zone": (b'{"query": "", "timezone": "Mars/Base"}', "Mars/Base"),
    "a path as zone": (b'{"query": "", "timezone": "../../etc/passwd"}', "zone"),
    "nul in the zone": (b'{"query": "", "timezone": "UTC\\u0000"}', "zone"),
    "an id of other characters": (b'{"query": "", "id": "a b"}', "/id"),
    "a timeout beyond an hour": (b'{"query": "", "timeout": 1e9}', "/timeout"),
    "a query too long": (json.dumps({"query": "a" * 100_001}).encode(), "/query"),
    "much too long": (json.dumps({"query": "a" * 2_000_000}).encode(), "large"),
    "very deep": (b'{"query": ' + b"[" * 100_000, "deep"),
}


@pytest.mark.parametrize("case", BODIES)
async def test_a_wrong_body_is_a_problem_and_no_defect(client: Client, case: str) -> None:
    body, named = BODIES[case]
    answer = await client.post("/api/v1/query", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert named.lower() in answer.text.lower()
    for error in problem["errors"]:
        assert set(error) >= {"line", "column", "message", "hint"}


HOSTILE = {
    "nul": "\0",
    "sql": "'; drop table segment; --",
    "a file": "| extend x = read_text('/etc/passwd')",
    "a quote in a phrase": 'service:"a\' or 1=1 --"',
    "sql in a name": "`a\" from read_csv('/etc/passwd') --`:x",
    "sql in a group": '| stats count() by `x"; drop table t; --`',
    "parentheses": "(" * 5000,
    "negations": "not " * 5000,
    "bars": "| " * 1000,
    "many stages": "| limit 5 " * 500,
    "long": "a" * 100_000,
    "a mark": "\ufeff",
    "right to left": "\u202e",
    "a parameter": "$1",
    "a format": "%s",
    "a template": "{{7*7}}",
    "a slow expression": '~"(a+)+$"',
    "a number too large": "timestamp>9999999999999999999999",
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_queries_harm_nobody(client: Client, case: str) -> None:
    await client.logs({"message": "root of all"}, {"message": "a" * 30 + "!", "service": "s"})
    answer = await client.post("/api/v1/query", json={"query": HOSTILE[case], "timeout": 10})
    assert answer.status_code in (200, 400), answer.text
    assert b"root:" not in answer.content
    assert await client.rows("| stats count() as n") == [{"n": 2}]


async def test_explain(client: Client) -> None:
    await client.logs({"service": "a"})
    answer = await client.post("/api/v1/explain", json={"query": "service:a | stats count() as n"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["plan"]["segments"]["read"] == 1
    assert (await client.post("/api/v1/explain", json={"query": "| nope"})).status_code == 400


async def test_cancelling_what_does_not_run_is_404(client: Client) -> None:
    answer = await client.delete("/api/v1/query/never-was")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


async def test_an_id_that_runs_already_is_refused_and_another_is_not(client: Client) -> None:
    await client.logs({"n": 1})
    statuses: list[int] = []

    async def run(query_id: str) -> None:
        answer = await client.post("/api/v1/query", json={"query": "", "id": query_id})
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(run, "mine")
    assert sorted(statuses) in ([200, 200], [200, 400])


async def test_fields_and_their_values(client: Client) -> None:
    odd = {"app.kubernetes.io/name": "shop", "100%": 1, "a%2Fb": 2, "\u00fc x": 3, "q?#": 4}
    await client.logs(*({"service": "pay", **odd} for _ in range(3)), {"service": "other"})
    fields = {field["name"]: field for field in (await client.get("/api/v1/fields")).json()["fields"]}
    assert fields["service"]["count"] == 4
    assert all(fields[name]["count"] == 3 for name in odd)
    for name, value in {**odd, "service": "pay"}.items():
        answer = await client.get(f"/api/v1/fields/{quote(name, safe='')}/values", params={"query": "service:pay"})
        assert answer.json()["values"] == [{"value": value, "count": 3}], name
    answer = await client.get("/api/v1/fields/service/values", params={"limit": 1})
    assert answer.json() == {"values": [{"value": "pay", "count": 3}], "warnings": [], "complete": True}
    assert (await client.get("/api/v1/fields/service/values", params={"limit": 0})).status_code == 400
    assert (await client.get("/api/v1/fields", params={"query": "(("})).json()["errors"]


async def test_completions_at_a_cursor(client: Client) -> None:
    await client.logs({"service": "checkout", "n": 1}, {"service": "cart", "n": 2})
    answer = await client.post("/api/v1/complete", json={"query": "service:che | stats count()", "cursor": 11})
    assert answer.json() == {
        "start": 8,
        "end": 11,
        "items": [{"text": "checkout", "kind": "value", "detail": "1", "about": ""}],
    }
    assert (await client.post("/api/v1/complete", json={"query": "x", "cursor": -1})).status_code == 400
    past = await client.post("/api/v1/complete", json={"query": "| sta", "cursor": 99})
    assert [item["text"] for item in past.json()["items"]] == ["stats "]
