"""The HTTP log endpoint: what each kind of body becomes, and what is refused."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from cordwood.plugins import Acknowledgement, Batch, Checkpoint, HttpRequest, Json, Part, RejectedError
from cordwood.sources.http import Http, HttpConfig, read_body

pytestmark = pytest.mark.anyio


class Receipt:
    def __init__(self, accepted: int) -> None:
        self.accepted = accepted

    async def committed(self) -> Acknowledgement:
        return Acknowledgement(self.accepted)


class Outlet:
    """Keeps what was sent."""

    source = "http"

    def __init__(self) -> None:
        self.sent: list[tuple[Batch, str | None, Mapping[str, Json] | None]] = []

    def started(self) -> None: ...

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Any = None,
        received: int = 0,
    ) -> Receipt:
        assert checkpoint is None
        self.sent.append((batch, key, parser))
        return Receipt(len(batch))

    async def send_parts(self, batch: Batch, parts: Sequence[Part]) -> list[Receipt]:
        receipts, at = [], 0
        for part in parts:
            receipts.append(await self.send(Batch(batch.frame.slice(at, part.rows)), key=part.key))
            at += part.rows
        return receipts

    async def checkpoint(self, key: str) -> Json:
        return None

    async def checkpoints(self, prefix: str) -> Mapping[str, Json]:
        return {}

    async def forget(self, prefix: str, there: Sequence[str], after_s: float) -> Sequence[str]:
        return []


async def post(
    body: bytes, media: str | None = None, query: Mapping[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, Json], Outlet]:
    outlet = Outlet()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if media is not None:
        named["content-type"] = media
    request = HttpRequest("POST", "/api/v1/logs", {}, query or {}, named, body)
    response = await Http(HttpConfig()).receive(request, outlet)
    return response.status, json.loads(response.body), outlet


def messages(outlet: Outlet) -> list[str | None]:
    return [m for batch, _, _ in outlet.sent for m in batch.frame["message"].to_list()]


TWO = b'{"message": "a", "n": 1}\n{"message": "b", "n": 2}'
ARRAY = b'[{"message": "a", "n": 1},{"message": "b", "n": 2}]'
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("media", "body", "expected"),
    [
        pytest.param("application/x-ndjson", TWO, ["a", "b"], id="ndjson"),
        pytest.param("application/x-ndjson; charset=utf-8", TWO + b"\n", ["a", "b"], id="ndjson-parameters"),
        pytest.param("APPLICATION/JSONLINES", TWO, ["a", "b"], id="jsonlines-upper"),
        pytest.param(
            "application/json-seq", b"\x1e" + TWO.replace(b"\n", b"\n\x1e") + b"\n", ["a", "b"], id="json-seq"
        ),
        pytest.param(
            "application/x-ndjson", b'{"message": "a"}\r\n\r\n{"message": "b"}\r\n', ["a", "b"], id="ndjson-crlf"
        ),
        pytest.param("application/x-ndjson", b"\xef\xbb\xbf" + TWO, ["a", "b"], id="bom"),
        pytest.param("application/json", ARRAY, ["a", "b"], id="array"),
        pytest.param(
            "application/json", json.dumps(json.loads(ARRAY), indent=2).encode(), ["a", "b"], id="array-pretty"
        ),
        pytest.param(
            "application/json", b" \n" + ARRAY.replace(b",{", b"\r\n,\r\n{") + b"\n", ["a", "b"], id="array-crlf"
        ),
        pytest.param("application/json", b'{"message": "a"}', ["a"], id="object"),
        pytest.param(
            "application/json", b'{\n  "message": "a",\n  "x": {\n    "y": 1\n  }\n}\n', ["a"], id="object-pretty"
        ),
        pytest.param("application/json", TWO, ["a", "b"], id="lines-as-json"),
        pytest.param("application/vnd.api+json", ARRAY, ["a", "b"], id="plus-json"),
        pytest.param("text/plain", b"one\r\ntwo\n\nthree", ["one", "two", "three"], id="text"),
        pytest.param("text/plain", b'{"message": "a"}\n', ['{"message": "a"}'], id="text-of-json"),
        pytest.param("text/plain", b"a\xff\x00b\n", ["a\\xff\0b"], id="text-no-utf8"),
        pytest.param(None, TWO, ["a", "b"], id="unknown-ndjson"),
        pytest.param(FORM, TWO, ["a", "b"], id="curl-ndjson"),
        pytest.param(FORM, ARRAY, ["a", "b"], id="curl-array"),
        pytest.param(FORM, b'{\n "message": "a"\n}', ["a"], id="curl-pretty"),
        pytest.param(FORM, b"a=1&b=2\n", ["a=1&b=2"], id="curl-text"),
        pytest.param(FORM, b"name=root&msg=disk+full%2C+again&levelname=ERROR", ["disk full, again"], id="form"),
        pytest.param(FORM, b"msg=a b&n=1", ["msg=a b&n=1"], id="no form"),
        pytest.param(FORM, b"[error] disk full\n[warn] x", ["[error] disk full", "[warn] x"], id="curl-bracketed-text"),
        pytest.param("application/octet-stream", b"plain", ["plain"], id="octet-stream"),
        pytest.param("application/x-whatever", TWO, ["a", "b"], id="strange-type"),
    ],
)
async def test_body_kinds(media: str | None, body: bytes, expected: list[str]) -> None:
    status, answer, outlet = await post(body, media)
    assert (status, answer) == (200, {"accepted": len(expected)})
    assert messages(outlet) == expected
    assert outlet.sent[0][0].frame["parse_error"].null_count() == len(expected)


@pytest.mark.parametrize("media", ["application/x-ndjson", "application/json", "text/plain", None])
@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n \n"], ids=["empty", "line feed", "blank"])
async def test_empty_body_is_no_event(media: str | None, body: bytes) -> None:
    status, answer, outlet = await post(body, media)
    assert (status, answer, outlet.sent) == (200, {"accepted": 0}, [])


async def test_empty_array_is_no_event() -> None:
    assert (await post(b"[]", "application/json"))[1] == {"accepted": 0}


async def test_elements_that_are_no_objects_are_kept() -> None:
    _, answer, outlet = await post(b'[{"message": "a"}, 12, null, [1, 2]]', "application/json")
    assert answer == {"accepted": 4}
    assert messages(outlet) == ["a", "12", "null", "[1, 2]"]
    assert outlet.sent[0][0].frame["parse_error"].to_list()[1:] == [
        "json: a number where an object was expected",
        "json: null where an object was expected",
        "json: an array where an object was expected",
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b'[{"a": 1}, {"b" 2}]', r"no JSON array: .*\(byte 16\)", id="malformed"),
        pytest.param(b'[{"a": 1}, {"b": 2', r"no JSON array: .*truncated \(byte 18\)", id="cut"),
        pytest.param(b'[{"a": 1}] trailing', r"no JSON array: .*\(byte 12\)", id="trailing"),
        pytest.param(b'[{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}]", "nested too deep", id="deep"),
        pytest.param(b'"text"', "neither an object nor an array", id="scalar"),
        pytest.param(b'{"a": 1,\n "b"', r"no JSON object: .*\(byte 13\)", id="cut-object"),
    ],
)
async def test_broken_json_is_refused_with_the_place(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        await post(body, "application/json")


@pytest.mark.parametrize(
    "media", ["image/png", "application/x-protobuf", "application/vnd.apache.parquet", "video/mp4"]
)
async def test_binary_types_are_unsupported(media: str) -> None:
    status, answer, outlet = await post(zlib.compress(b"x"), media)
    assert (status, answer["status"], outlet.sent) == (415, 415, [])


async def test_parameters_reach_the_outlet() -> None:
    query = {"parser": "regex", "parser.pattern": r"(?P<level>\w+) (?P<status>\d+)", "parser.types.status": "int"}
    query |= {"service": "shop", "timezone": "Europe/Berlin", "parser.fields": '["a", "b"]'}
    _, _, outlet = await post(b"error 500", "text/plain", query, idempotency_key="k-1")
    batch, key, parser = outlet.sent[0]
    assert key == "k-1"
    assert parser == {
        "type": "regex",
        "pattern": r"(?P<level>\w+) (?P<status>\d+)",
        "types": {"status": "int"},
        "fields": ["a", "b"],
        "timezone": "Europe/Berlin",
    }
    assert batch.frame["service"].to_list() == ["shop"]


async def test_a_parameter_that_is_too_deep_to_be_json_is_text() -> None:
    deep = '{"a":' * 2000
    _, _, outlet = await post(b"x", "text/plain", {"parser": "regex", "parser.pattern": deep})
    assert outlet.sent[0][2] == {"type": "regex", "pattern": deep}


async def test_service_of_the_event_stands_before_that_of_the_request() -> None:
    _, _, outlet = await post(b'{"service": "own"}\n{"a": 1}', None, {"service": "shop"})
    assert outlet.sent[0][0].frame["service"].to_list() == ["own", "shop"]


@pytest.mark.parametrize(
    ("query", "headers", "reason"),
    [
        ({"timezone": "Mars/Olympus"}, {}, "IANA"),
        ({"timezone": "../../etc/passwd"}, {}, "IANA"),
        ({"parser.pattern": "x"}, {}, "without parser="),
        ({}, {"idempotency_key": "x" * 256}, "Idempotency-Key"),
        ({}, {"idempotency_key": "a\x00b"}, "Idempotency-Key"),
    ],
)
async def test_wrong_parameters_are_refused(query: dict[str, str], headers: dict[str, str], reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        await post(b"x", "text/plain", query, **headers)


def test_timezone_of_times_without_an_offset() -> None:
    batch = read_body(b'{"time": "2026-07-01 12:00:00"}', "", 0, ZoneInfo("Europe/Berlin"))
    assert batch.events()[0]["timestamp"] == "2026-07-01T10:00:00.000000000Z"


def test_array_takes_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.plugins.ndjson._slow", None)
    body = b"[" + b",".join(b'{"message": "},{", "n": %d, "list": {"x": "]["}}' % i for i in range(100)) + b"]"
    batch = read_body(body, "application/json", 0, ZoneInfo("UTC"))
    assert batch.frame["n"].to_list() == list(range(100))
    assert set(batch.frame["message"]) == {"},{"}


async def test_small_bodies_that_come_together_are_answered_each_for_itself() -> None:
    http, outlet = Http(HttpConfig()), Outlet()
    bodies = {
        "one": b'{"message": "a"}\n\n{"message": "b"}\n',
        "odd": b'\xef\xbb\xbf{"message": "c", "n": "x"}\r\n{"n": 1}',
        "bad": b'{"message": "d"}\nno json\n[1]',
        "wide": b"{%s}" % b",".join(b'"f%d": %d' % (n, n) for n in range(400)),
    }
    answers: dict[str, int] = {}

    async def one(name: str, copy: int) -> None:
        headers = {"content-type": "application/x-ndjson", "idempotency-key": f"{name} {copy}"}
        response = await http.receive(HttpRequest("POST", "/api/v1/logs", {}, {}, headers, bodies[name]), outlet)
        answers[f"{name} {copy}"] = json.loads(response.body)["accepted"]

    async with anyio.create_task_group() as tasks:
        for copy in range(3):
            for name in bodies:
                tasks.start_soon(one, name, copy)
    events = {"one": 2, "odd": 2, "bad": 3, "wide": 1}
    assert answers == {f"{name} {copy}": events[name] for name in bodies for copy in range(3)}
    sent = {key: batch.frame["message"].to_list() for batch, key, _ in outlet.sent}
    assert {sent[f"one {copy}"] == ["a", "b"] for copy in range(3)} == {True}
    assert {tuple(sent[f"bad {copy}"]) for copy in range(3)} == {("d", "no json", "[1]")}
