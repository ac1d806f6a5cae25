"""Batches: invariants, several kinds of a field, joining them, and laying a parser's finds over events."""

import string

import polars as pl
import pytest
from cordwood.plugins import Batch, concat
from cordwood.plugins.fields import KINDS, MAX_NAME, STANDARD, clean_name, column_name, split_column
from hypothesis import given
from hypothesis import strategies as st

AT = 1_768_471_200_000_000_000
NAMES = st.one_of(
    st.text(string.ascii_letters + "#._ ", min_size=1, max_size=8),
    st.sampled_from(["a#int", "a#json", "a#", "#text", "severity", "message", "int", "a#text#int"]),
)


@given(NAMES, st.sampled_from(sorted(KINDS)), st.booleans())
def test_column_name_and_split_column_are_inverse(field: str, kind: str, taken: bool) -> None:
    name = column_name(field, kind, {field} if taken else ())
    assert split_column(name, KINDS[kind]) == (field, kind)


@given(st.text(max_size=20) | st.text(min_size=MAX_NAME - 3, max_size=MAX_NAME + 30))
def test_clean_name_is_settled(name: str) -> None:
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    assert len(cleaned) <= MAX_NAME
    assert "\0" not in cleaned
    cleaned.encode()


def test_long_names_stay_apart() -> None:
    assert len({clean_name("k" * 10_000 + str(i)) for i in range(100)}) == 100


VALUES = st.one_of(st.integers(-9, 9), st.floats(0.5, 1.5), st.booleans(), st.text("ab", max_size=3), st.just([1, "x"]))
RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c#int"]), VALUES, max_size=3), min_size=1, max_size=4)


@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_concat_keeps_every_event(parts: list[list[dict[str, object]]]) -> None:
    batches = [Batch.from_records(part, observed=AT) for part in parts]
    joined = concat(batches)
    expected = [event for batch in batches for event in batch.events()]
    assert joined.events() == expected
    assert Batch.of(joined.frame).frame.equals(joined.frame)


def test_parsed_fills_where_it_holds_and_marks_the_rest() -> None:
    batch = Batch.from_lines(["7 up", "no"], observed=AT)
    number = pl.col("message").str.extract(r"^(\d+)").cast(pl.Int64)
    parsed = batch.parsed({"n": number, "service": "x"}, where=number.is_not_null(), error="no number")
    assert parsed.frame.select("n", "service", "parse_error").rows() == [(7, "x", None), (None, None, "no number")]
    again = parsed.parsed({"n": pl.lit("text")}, where=pl.lit(value=True), error="")
    assert [event["n"] for event in again.events()] == ["text", "text"]
    assert again.frame["parse_error"].to_list() == [None, "no number"]


def test_of_casts_anything() -> None:
    frame = pl.DataFrame(
        {"message": [1, 2], "i": pl.Series([1, 2], dtype=pl.UInt8), "d": pl.Series([[1], None]), "n": [None, None]}
    )
    batch = Batch.of(frame)
    assert list(batch.frame.schema.items())[: len(STANDARD)] == list(STANDARD.items())
    assert batch.frame["message"].to_list() == ["1", "2"]
    assert dict(batch.frame.schema) | {} == dict(STANDARD) | {"i": pl.Int64(), "d#json": pl.String()}


@pytest.mark.parametrize("replaces", [(), ("message",)])
def test_merged(replaces: tuple[str, ...]) -> None:
    batch = Batch.from_records(
        [{"message": "a", "host": "h", "user": 1, "level": "info"}, {"message": "b", "user": "x"}, {"message": "c"}],
        observed=AT,
    )
    found = Batch.from_ndjson(
        b'{"user": "new", "level": "error"}\n{"host": "h2", "n": 1.5}\n{"user": 9}', observed=AT + 1
    )
    where = pl.Series([True, True, False])
    merged = batch.merged(found, where=where, error="no", replaces=replaces)
    events = merged.events()
    assert [event.get("user") for event in events] == ["new", "x", None]
    assert [event.get("host") for event in events] == ["h", "h2", None]
    assert [event.get("severity") for event in events] == ["ERROR", None, None]
    assert [event.get("parse_error") for event in events] == [None, None, "no"]
    assert [event.get("message") for event in events] == ([None, None, "c"] if replaces else ["a", "b", "c"])
    assert merged.frame["observed_timestamp"].equals(batch.frame["observed_timestamp"])
    assert Batch.of(merged.frame).frame.equals(merged.frame)


@pytest.mark.parametrize("name", ["*", "^.*$", "^a", "", "#", "\0ok"])
def test_names_that_are_patterns_elsewhere(name: str) -> None:
    """Senders choose names; to polars some of them mean several columns."""
    batch = Batch.from_records([{name: 1, "a": 2, "message": "m"}, {"a": 3, "time": "nonsense"}], observed=AT)
    field = clean_name(name)
    parsed = batch.parsed({"a": pl.lit("x")}, where=pl.lit(value=True), error="")
    merged = batch.merged(parsed, where=pl.Series([True, False]), error="no")
    for one in (batch, parsed, merged, Batch.of(merged.frame), concat([batch, parsed])):
        assert one.events()[0][field] == 1
        assert one.events()[0]["message"] == "m"
