"""Loki's endpoint: pushes in JSON and in snappy-compressed protobuf become the same events."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from cordwood.plugins import Batch, RejectedError, adopt, normalise
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources.loki import NAMES, Loki, LokiConfig, read_entries
from cordwood.sources.loki.columns import read_columns
from cordwood.sources.loki.labels import read_labels
from cordwood.sources.protobuf import WireError, snappy_size
from cordwood.sources.wire import OddError
from hypothesis import given, settings
from hypothesis import strategies as st

from ..conftest import Server
from .wire import field, received, request, varint

pytestmark = pytest.mark.anyio
AT = 1_769_860_800_000_000_123
TIME = "2026-01-31T12:00:00.000000123Z"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def packed(labels: str, entries: list[tuple[int, str, dict[str, str]]]) -> bytes:
    """A push of one stream, as Promtail sends it."""
    stream = field(1, labels.encode())
    for at, line, metadata in entries:
        pairs = b"".join(field(3, field(1, k.encode()) + field(2, v.encode())) for k, v in metadata.items())
        stamp = field(1, at // 10**9) + field(2, at % 10**9)
        stream += field(2, field(1, stamp) + field(2, line.encode()) + pairs)
    return bytes(pa.Codec("snappy").compress(field(1, stream), asbytes=True))


PUSH = {
    "streams": [
        {
            "stream": {"service_name": "shop", "level": "warn", "env": "prod"},
            "values": [[str(AT), "disk\nfull"], [str(AT), "ü", {"trace_id": "abc", "env": "x"}]],
        }
    ]
}
BINARY = packed(
    '{service_name="shop", level="warn", env="prod"}',
    [(AT, "disk\nfull", {}), (AT, "ü", {"trace_id": "abc", "env": "x"})],
)
EVENT = {"timestamp": TIME, "severity": "WARN", "severity_text": "warn", "service": "shop", "env": "prod"}
EVENTS = [EVENT | {"message": "disk\nfull"}, EVENT | {"message": "ü", "trace_id": "abc", "env_extracted": "x"}]
test_contract = http_source_contract(
    Loki,
    [
        (request("/loki/api/v1/push", json.dumps(PUSH).encode(), headers=JSON), 2),
        (request("/loki/api/v1/push", BINARY, headers=PROTOBUF), 2),
    ],
)


async def push(body: bytes, headers: dict[str, str] = JSON) -> tuple[int, list[dict[str, Any]]]:
    answer, events = await received(Loki(LokiConfig()), request("/loki/api/v1/push", body, headers=headers))
    return answer.status, events


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(json.dumps(PUSH).encode(), JSON, id="json"),
        pytest.param(json.dumps(PUSH, indent=2).encode(), {}, id="pretty-untyped"),
        pytest.param(BINARY, PROTOBUF, id="protobuf"),
        pytest.param(BINARY, {}, id="protobuf-untyped"),
    ],
)
async def test_both_forms_become_the_same_events(body: bytes, headers: dict[str, str]) -> None:
    assert await push(body, headers) == (204, EVENTS)


async def test_odd_entries_are_kept() -> None:
    values = [["soon", "a"], [AT, "number"], [str(AT), {"an": "object"}], [str(AT), "b", {}]]
    stream = {"job": "cron", "timestamp": "label", "message": "label", "n": 5}
    status, events = await push(json.dumps({"streams": [{"stream": stream, "values": values}]}).encode())
    assert (status, [event["message"] for event in events]) == (204, ["a", "number", '{"an":"object"}', "b"])
    assert "no time" in events[0].pop("parse_error")
    assert events[1] == {
        "timestamp": TIME, "service": "cron", "message": "number",
        "label.timestamp": "label", "label.message": "label", "n": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        pytest.param(b'{"streams": 5}', JSON, "no push of Loki", id="no-streams"),
        pytest.param(b'{"streams":[{"stream":{},"values":[["1"]]}]}', JSON, "length", id="short-entry"),
        pytest.param(b'{"streams":[{"values":[["1","\xff"]]}]}', JSON, "no push", id="no-utf8"),
        pytest.param(b'{"streams":' + b"[" * 100_000, JSON, "no push", id="deep"),
        pytest.param(varint(2**40) + b"x", PROTOBUF, "unpacks to 1099511627776", id="bomb"),
        pytest.param(b"\xff" * 20, PROTOBUF, "too long", id="endless-number"),
        pytest.param(BINARY[:-5], PROTOBUF, "snappy", id="cut"),
        pytest.param(packed("{a=1}", []), PROTOBUF, "no labels", id="labels"),
        pytest.param(
            bytes(pa.Codec("snappy").compress(b"\x0a\x7fx", asbytes=True)), PROTOBUF, "cut off", id="cut-field"
        ),
    ],
)
async def test_what_is_no_push_is_refused(body: bytes, headers: dict[str, str], reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        await push(body, headers)


def by_columns(plain: bytes) -> Batch:
    return adopt(normalise(read_columns(plain), AT), NAMES)


_NAMES = st.sampled_from(["service_name", "level", "env", "trace_id", "status", "n#int", "time", "message", "é", ""])
_TEXTS = st.one_of(st.sampled_from(["", "warn", "42", "true", "a" * 12, "b" * 13]), st.text(max_size=40))
_ENTRY = st.tuples(
    st.integers(0, 2**63 - 1),
    _TEXTS,
    st.lists(st.tuples(_NAMES, _TEXTS), max_size=3),
    st.binary(max_size=2),
)
_STREAM = st.tuples(
    st.dictionaries(st.sampled_from(["service_name", "env", "job", "level", "timestamp"]), _TEXTS, max_size=3),
    st.lists(_ENTRY, max_size=4),
)


@settings(max_examples=60)
@given(st.lists(_STREAM, max_size=3), st.integers(0, 2**16), st.binary(max_size=3))
def test_columns_are_what_entries_are(streams: list[Any], at: int, noise: bytes) -> None:
    """Usual pushes, and such ones with some bytes changed."""
    plain = b""
    for labels, entries in streams:
        told = field(1, ("{" + ", ".join(f"{k}={json.dumps(v)}" for k, v in labels.items()) + "}").encode())
        for stamp, line, metadata, tail in entries:
            when = field(1, field(1, stamp // 10**9) + field(2, stamp % 10**9))
            pairs = b"".join(field(3, field(1, k.encode()) + field(2, v.encode())) for k, v in metadata)
            told += field(2, when + field(2, line.encode()) + pairs + tail)
        plain += field(1, told)
    at %= len(plain) + 1
    for body in (plain, plain[:at] + noise + plain[at + len(noise) :]):
        try:
            fast = by_columns(body)
        except (OddError, WireError, UnicodeDecodeError):
            continue
        assert fast.events() == read_entries(body, AT).events()


def test_columns_are_read_of_a_usual_push() -> None:
    entries = [(AT + i, f"line {i} of many", {"status": str(i), "trace_id": "ab" * 16}) for i in range(300)]
    body = packed('{service_name="shop"}', entries)
    plain = pa.Codec("snappy").decompress(body, snappy_size(body), asbytes=True)
    assert by_columns(plain).events() == read_entries(plain, AT).events()


async def test_another_type_is_told_what_to_send() -> None:
    assert await push(b"line", {"content-type": "text/plain"}) == (415, [])


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        ('{a="1",b = "x,}\\"\\n\\u00fc"}', {"a": "1", "b": 'x,}"\nü'}),
        ('{raw=`a\\n`, k8s.pod="p",}', {"raw": "a\\n", "k8s.pod": "p"}),
    ],
)
def test_labels(text: str, labels: dict[str, str]) -> None:
    assert read_labels(text) == labels


@pytest.mark.parametrize("text", ["", "a", "{a}", '{a="}', '{a="b" c="d"}', '{="b"}', '{a="' + "x" * 20_000 + '"}'])
def test_no_labels(text: str) -> None:
    with pytest.raises(WireError):
        read_labels(text)


def test_a_server_takes_both(server: Server) -> None:
    values = [[str(AT + i), f"loki {i}"] for i in range(1000)]
    body = json.dumps({"streams": [{"stream": {"service": "c-json", "level": "error"}, "values": values}]}).encode()
    assert server.call("POST", "/loki/api/v1/push", body, JSON) == (204, b"")
    binary = packed('{service="c-protobuf"}', [(AT + i, f"loki {i}", {}) for i in range(1000)])
    assert server.call("POST", "/loki/api/v1/push", binary, PROTOBUF) == (204, b"")
    status, text = server.call("POST", "/loki/api/v1/push", b"{}", JSON)
    assert (status, text[:7]) == (400, b"the bod")
    rows = server.query("service:c-* | stats count() as n by service")
    assert {row["service"]: row["n"] for row in rows} == {"c-json": 1000, "c-protobuf": 1000}
