"""Hostile lines inside good bodies: the neighbours are stored once, the line is kept or refused with a reason."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio

LINES = {
    "invalid UTF-8": b'{"message": "\xff\xfe\x00abc"}',
    "lone surrogate": b'{"message": "\\ud800 x"}',
    "surrogate in a key": b'{"\\ud800": 1}',
    "escaped NUL": b'{"message": "a\\u0000b"}',
    "raw NUL and bidi": '{"message": "\u202e\u0000"}'.encode(),
    "half an object": b'{"message": "cut',
    "trailing garbage": b'{"message": "x"} garbage',
    "bare text": b"just a line",
    "bare number": b"12",
    "bare true": b"true",
    "array": b'[{"message": "in array"}]',
    "NaN": b'{"x": NaN}',
    "huge integer": b'{"x": 123456789012345678901234567890}',
    "huge float": b'{"x": 1e999}',
    "minus zero": b'{"x": -0}',
    "same key twice": b'{"a": 1, "a": "two"}',
    "empty key": b'{"": "v"}',
    "empty object": b"{}",
    "key of 10 KB": b'{"' + b"k" * 10_000 + b'": 1}',
    "deep object": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "deep array": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "5000 keys": json.dumps({f"k{i}": i for i in range(5000)}).encode(),
    "5 MB": b'{"message": "' + b"x" * 5_000_000 + b'"}',
    "year 1": b'{"timestamp": "0001-01-01T00:00:00Z"}',
    "year 9999": b'{"timestamp": "9999-12-31T23:59:59.999999999Z"}',
    "no time": b'{"timestamp": "yesterday-ish"}',
    "object for a time": b'{"timestamp": {"a": 1}}',
    "object for a message": b'{"message": {"a": {"b": [1, 2]}}}',
    "number for a severity": b'{"severity": 17}',
    "list for a severity": b'{"severity": ["x"]}',
    "dotted and nested": b'{"a.b": 1, "a": {"b": 2}}',
    "names of our own": b'{"template": "x", "_template": "y", "segment_id": 3, "_position": 4, "parse_error": "mine"}',
    "SQL for a name": b'{"\\"; drop table x; --": 1}',
    "names that differ by case": b'{"Status": 1, "status": 2, "STATUS": 3}',
    "a bool": b'{"x": true}',
    "array of all kinds": b'{"x": [1, "a", null, {"b": 2}]}',
    "carriage return": b'{"message": "crlf"}\r',
    "byte order mark": b'\xef\xbb\xbf{"message": "bom"}',
    "field of another kind": b'{"status": "teapot"}',
    "object for a number": b'{"status": {"code": 1}}',
    "raw tab": b'{"message": "a\tb"}',
    "names with hashes": b'{"status#int": 1, "status#text": "x", "a#json": []}',
}
NOTHING = {"null": b"null", "blank": b"   "}


async def test_no_line_hurts_its_neighbours_and_none_vanishes(client: Client) -> None:
    wrong: dict[str, object] = {}
    accepted = 0
    for i, (name, line) in enumerate((LINES | NOTHING).items()):
        good = [json.dumps({"message": side, "service": f"t{i}", "status": 200}).encode() for side in ("left", "right")]
        body = b"\n".join((good[0], line, good[1]))
        answer = await client.post(
            "/api/v1/logs", content=body, headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": f"k{i}"}
        )
        if answer.status_code != 200:
            wrong[name] = answer.text
            continue
        accepted += answer.json()["accepted"]
        if answer.json()["accepted"] != 3 and name not in NOTHING:
            wrong[name] = answer.json()
        rows = await client.rows(f"service:t{i} | stats count() as n")
        if rows != [{"n": 2}]:
            wrong[name] = rows
    assert not wrong
    assert await client.rows("| stats count() as n") == [{"n": accepted}]
    answer = await client.post(
        "/api/v1/query", json={"query": "", "limit": 1000}, headers={"Accept": "application/x-ndjson"}
    )
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert len(events) == accepted
    assert (await client.get("/api/v1/fields")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    for name in ("Status", '"; drop table x; --', "k" * 200, "\u00fc", "a.b", "%"):
        assert (await client.get(f"/api/v1/fields/{quote(name, safe='')}/values")).status_code == 200, name


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"{", "application/json"),
        (b'[{"message": "a"}, {]', "application/json"),
        (b'"text"', "application/json"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
    ],
)
async def test_a_body_that_is_no_such_thing_at_all_is_refused_whole(
    client: Client, body: bytes, media_type: str
) -> None:
    answer = await client.post("/api/v1/logs", content=body, headers={"Content-Type": media_type})
    assert answer.status_code in (400, 415)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 20
    assert await client.rows("| stats count() as n") == [{"n": 0}]


async def test_the_same_key_again_stores_nothing_and_gets_the_same_answer(client: Client) -> None:
    answers = [await client.logs({"n": 1}, {"n": 2}, **{"Idempotency-Key": "k"}) for _ in range(3)]
    assert answers == [2, 2, 2]
    assert await client.rows("| stats count() as n") == [{"n": 2}]


async def test_an_empty_body_is_nothing(client: Client) -> None:
    assert (await client.post("/api/v1/logs")).json() == {"accepted": 0}


async def test_compressed_bodies_are_the_same_as_plain_ones(client: Client) -> None:
    line = b'{"message": "x", "service": "s"}\n'
    answer = await client.post("/api/v1/logs", content=gzip.compress(line * 1000), headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"accepted": 1000}
    assert await client.rows("service:s | stats count() as n") == [{"n": 1000}]
