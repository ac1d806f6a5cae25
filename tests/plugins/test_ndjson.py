"""The fast path of NDJSON gives what the slow one gives; and no input ends the process or loses a line."""

import json
import math
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from cordwood.plugins import Batch, read_ndjson
from cordwood.plugins.fields import STANDARD
from cordwood.plugins.ndjson import _fast, _slow
from cordwood.plugins.normalise import normalise
from hypothesis import example, given, settings
from hypothesis import strategies as st

OBSERVED = 1_768_471_200_000_000_000
LEFT, RIGHT = b'{"message": "left", "status": 200}', b'{"message": "right", "status": 500}'

TORTURE = {
    "a name that is a pattern": b'{"^a$": 1.5}',
    "invalid utf8": b'{"message": "\xff\xfe\x00abc"}',
    "lone surrogate": b'{"message": "\\ud800 x"}',
    "lone low surrogate": b'{"message": "\\udc00"}',
    "surrogate pair": b'{"message": "\\ud83d\\ude00"}',
    "raw surrogate": b'{"message": "\xed\xa0\x80"}',
    "nul": b'{"message": "a\\u0000b"}',
    "raw nul": b'{"message": "a\0b"}',
    "nul key": b'{"a\\u0000b": 1, "a": 2}',
    "half object": b'{"message": "cut',
    "bare text": b"just a line",
    "bare number": b"12",
    "null": b"null",
    "array line": b'[{"message": "in array"}]',
    "nan": b'{"x": NaN}',
    "infinity": b'{"x": -Infinity}',
    "huge int": b'{"x": 123456789012345678901234567890}',
    "int64 max": b'{"x": 9223372036854775807}',
    "uint64": b'{"x": 9223372036854775808}',
    "negative huge": b'{"x": -9223372036854775809}',
    "beyond a double": b'{"x": 9007199254740993, "y": 1.5}\n{"x": 1.5}',
    "huge float": b'{"x": 1e999}',
    "tiny float": b'{"x": 1e-999}',
    "many digits": b'{"x": 0.1234567890123456789012345678901234567890}',
    "minus zero": b'{"x": -0}',
    "leading zero": b'{"x": 01}',
    "plus": b'{"x": +1}',
    "float as int": b'{"x": 1e3}\n{"x": 1.0}',
    "duplicate keys": b'{"a": 1, "a": "two"}',
    "duplicate keys of a kind": b'{"a": 1, "a": 2}',
    "duplicate messages": b'{"message": "one", "message": "two"}',
    "duplicate objects": b'{"a": {"b": 1}, "a": {"c": 2}}',
    "empty key": b'{"": "v"}',
    "empty key nested": b'{"a": {"": 1}}',
    "10 KB key": b'{"' + b"k" * 10_000 + b'": 1}',
    "two 10 KB keys": b'{"' + b"k" * 10_000 + b'1": 1, "' + b"k" * 10_000 + b'2": "x"}',
    "deep": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "deeper than names": b'{"a":' * 40 + b"1" + b"}" * 40,
    "just as deep as names": b'{"a":' * 33 + b"1" + b"}" * 33,
    "deep array": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "5000 keys": json.dumps({f"k{i}": i for i in range(5000)}).encode(),
    "year 1": b'{"timestamp": "0001-01-01T00:00:00Z"}',
    "year 9999": b'{"timestamp": "9999-12-31T23:59:59.999999999Z"}',
    "bad time": b'{"timestamp": "yesterday-ish"}',
    "time object": b'{"timestamp": {"a": 1}}',
    "time number": b'{"timestamp": 1769860800}\n{"timestamp": 1769860800.5}\n{"timestamp": "1769860800123"}',
    "time bool": b'{"timestamp": true}',
    "time array": b'{"timestamp": [1]}',
    "two times": b'{"time": "2026-01-01T00:00:00Z", "ts": 5}',
    "message object": b'{"message": {"a": {"b": [1, 2]}}}',
    "message number": b'{"message": 12}',
    "message null": b'{"message": null}',
    "severity number": b'{"severity": 17}',
    "severity list": b'{"severity": ["x"]}',
    "severity float": b'{"level": 17.5}',
    "dotted clash": b'{"a.b": 1, "a": {"b": 2}}',
    "dotted clash of kinds": b'{"a.b": 1, "a": {"b": "x"}}',
    "alias clash": b'{"message": "a", "msg": "b", "log": {"level": "error"}, "log.level": "info"}',
    "field as column": b'{"template": "x", "segment_id": 3, "parse_error": "mine"}',
    "kind in a name": b'{"a#int": "x", "a": 1, "b#json": 5, "#": 1, "c#text": "y", "c": 2}',
    "sql name": b'{"\\"; drop table x; --": 1}',
    "bool": b'{"x": true}',
    "mixed kinds": b'{"x": true}\n{"x": 1}\n{"x": "a"}\n{"x": 2.5}\n{"x": [1]}\n{"x": {"y": 1}}\n{"x": null}',
    "mixed array": b'{"x": [1, "a", null, {"b": 2}]}',
    "arrays": b'{"x": [1, 2]}\n{"x": []}',
    "empty objects": b'{"x": {}}\n{"x": {"y": 1}}\n{}',
    "text like dates": b'{"a": "2026-01-01", "b": "2026-01-01 12:00:00", "c": {"d": "2026-01-01T00:00:00Z"}}',
    "dates in an array": b'{"e": ["2026-01-01"]}',
    "text like numbers": b'{"a": "1", "b": "true", "c": "null", "d": ""}',
    "bidi": '{"message": "\u202e\\u0000 \U0001f600"}'.encode(),
    "crlf": b'{"message": "crlf"}\r',
    "bom": b'\xef\xbb\xbf{"message": "bom"}',
    "tab": b'{"message": "a\tb"}',
    "escapes": b'{"message": "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4"}',
    "bad escape": b'{"message": "\\x41"}',
    "trailing": b'{"message": "x"} garbage',
    "two on a line": b'{"message": "x"}{"message": "y"}',
    "comma after": b'{"message": "x"},',
    "spaces": b'  { "message" :\t"x" }  ',
    "blank": b"  ",
    "surrogate key": b'{"\\ud800": 1}',
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1} // x',
    "trailing comma": b'{"a": 1,}',
}


def events(batch: Batch) -> list[dict[str, Any]]:
    found = batch.events()
    assert len(found) == len(batch)
    return found


def canonical(value: Any) -> Any:
    """Equal for events that are equal: 1 and 1.0 differ, and so do true and 1."""
    if isinstance(value, dict):
        return {key: canonical(one) for key, one in value.items()}
    if isinstance(value, list):
        return [canonical(one) for one in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return type(value).__name__, value


def assert_paths_agree(body: bytes) -> bool:
    """Whether the fast path took the body; if so, its events are those of the slow one."""
    fast = _fast(body.removeprefix(b"\xef\xbb\xbf"))
    slow = normalise(_slow(body.removeprefix(b"\xef\xbb\xbf").split(b"\n")), OBSERVED)
    assert slow.frame.columns[: len(STANDARD)] == list(STANDARD)
    if fast is None:
        return False
    quick = normalise(fast, OBSERVED)
    assert canonical(events(quick)) == canonical(events(slow))
    assert {name: quick.frame.schema[name] for name in quick.frame.columns} == dict(
        sorted(slow.frame.schema.items(), key=lambda item: quick.frame.columns.index(item[0]))
    )
    return True


@pytest.mark.parametrize("line", TORTURE.values(), ids=TORTURE.keys())
def test_torture(line: bytes) -> None:
    body = b"\n".join([LEFT, line, RIGHT])
    assert_paths_agree(body)
    assert_paths_agree(line)
    batch = read_ndjson(body, OBSERVED)
    kept = events(batch)
    assert (kept[0]["message"], kept[-1]["message"]) == ("left", "right")
    lines = sum(1 for one in line.split(b"\n") if one.strip())
    assert len(batch) == lines + 2


def test_torture_all_at_once() -> None:
    body = b"\r\n".join(b"\n".join([LEFT, line, RIGHT]) for line in TORTURE.values())
    batch = read_ndjson((body + b"\n") * 3, OBSERVED)
    assert len(batch) == 3 * sum(1 for line in body.split(b"\n") if line.strip())
    assert batch.frame["message"].eq("left").sum() == 3 * len(TORTURE)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("b'{\"a\":' + b'[' * 200_000 + b']' * 200_000 + b'}'", id="arrays"),
        pytest.param("b'{\"a\":' * 200_000 + b'1' + b'}' * 200_000", id="objects"),
        pytest.param("b'{\"a\":' * 200_000", id="unclosed"),
        pytest.param("b'{\"a\":\"' + b'[{' * 200_000 + b'\"}'", id="brackets in text"),
        pytest.param("b'{\"a\": [' + b'[],' * 200_000 + b'1]}'", id="wide"),
        pytest.param("b'{\"message\": \"' + b'x' * 5_000_000 + b'\"}'", id="5 MB"),
        pytest.param("b'{}\\n' * 100 + b'null\\n' + b'{}\\n' * 100", id="null line"),
        pytest.param("b'\\0' * 1000", id="NULs"),
    ],
)
def test_process_survives(program: str) -> None:
    """In a process of its own, because what goes wrong here ends it."""
    code = (
        "from cordwood.plugins import read_ndjson\n"
        f"line = {program}\n"
        'body = b\'{"message": "left"}\\n\' + line + b\'\\n{"message": "right"}\'\n'
        "messages = read_ndjson(body, 0).frame['message']\n"
        "lines = sum(map(bool, body.split(b'\\n')))\n"
        "assert (messages[0], messages[-1], len(messages)) == ('left', 'right', lines), messages"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


KEYS = st.one_of(
    st.sampled_from(
        ["message", "msg", "level", "severity", "time", "ts", "service", "host", "a", "b", "a.b", "a#int", ""]
    ),
    st.text(max_size=5),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["error", "2026-01-31T12:00:00Z", "2026-01-31", "12", "1769860800", "", "true", "2026-01-31 12:00:00.5"]
    ),
)
NUMBERS = st.one_of(
    st.integers(-5, 5), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
VALUES = st.recursive(
    st.one_of(st.none(), TEXTS, NUMBERS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
EVENTS = st.lists(st.dictionaries(KEYS, VALUES, max_size=5), min_size=1, max_size=6)


@settings(max_examples=200)
@given(EVENTS, st.booleans())
@example([{"time": "0001-01-01T00:00:00Z"}], True)
def test_paths_agree_on_any_events(found: list[dict[str, Any]], ascii_only: bool) -> None:
    lines = [json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for event in found]
    assert_paths_agree(b"\n".join(lines))
    assert len(read_ndjson(b"\n".join(lines), OBSERVED)) == len(found)


UNIFORM = st.fixed_dictionaries(
    {"message": st.text(max_size=10), "time": TEXTS, "level": TEXTS},
    optional={
        "n": st.one_of(st.integers(-(2**63), 2**63 - 1), st.none()),
        "f": st.floats(-1e15, 1e15),
        "u": st.fixed_dictionaries({}, optional={"id": st.integers(0, 9), "name": TEXTS}),
        "ok": st.booleans(),
    },
)


@settings(max_examples=200)
@given(st.lists(UNIFORM, min_size=1, max_size=8))
def test_paths_agree_on_uniform_events(found: list[dict[str, Any]]) -> None:
    assert_paths_agree("\n".join(json.dumps(event) for event in found).encode())


def test_fast_path_is_taken_for_usual_logs() -> None:
    line = {"time": "2026-01-31T12:00:00.5Z", "level": "info", "msg": "x", "user": {"id": 1}, "ms": 1.5, "ok": True}
    assert assert_paths_agree("\n".join(json.dumps(line | {"n": n}) for n in range(50)).encode())


def test_blocks_with_bad_lines_keep_order() -> None:
    lines = [b'{"n": %d, "message": "m%d"}' % (i, i) for i in range(20_000)]
    for i in range(0, 20_000, 3_000):
        lines[i] = b"bad %d" % i
    batch = read_ndjson(b"\n".join(lines), OBSERVED)
    expected = [f"bad {i}" if i % 3_000 == 0 else f"m{i}" for i in range(20_000)]
    assert batch.frame["message"].to_list() == expected
    assert batch.frame["n"].drop_nulls().to_list() == [i for i in range(20_000) if i % 3_000]


def test_observed_none_leaves_times_open() -> None:
    frame = read_ndjson(b'{"a": 1}\n{"time": "nonsense"}\n{"time": 5}', None).frame
    assert frame["observed_timestamp"].null_count() == 3
    assert frame["timestamp"].is_null().to_list() == [True, True, False]
    assert frame["time"].to_list() == [None, "nonsense", None]
    assert frame.select(pl.col("parse_error").is_not_null()).to_series().to_list() == [False, True, False]
