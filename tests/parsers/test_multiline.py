"""Lines put together: by what begins or continues an event, by stream, over batches, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from cordwood.config import ConfigErrors, load_text
from cordwood.parsers.multiline import MOST_BYTES, MOST_STREAMS, Multiline, MultilineConfig
from cordwood.plugins import Batch, Gathered, Held, load_plugins
from cordwood.plugins.conformance import parser_contract
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

SECOND = 1_000_000_000
test_contract = parser_contract(Multiline, {"continues": r"^\s"}, ["a", " b", "c"])


def step(**settings: Any) -> Multiline:
    return Multiline(MultilineConfig(**settings))


def lines(*messages: str | None, **fields: Any) -> Batch:
    return Batch.from_records([{"message": message, **fields} for message in messages])


def texts(found: Gathered | Held) -> list[str | None]:
    return found.batch.frame["message"].to_list()


def run(made: Multiline, batches: Sequence[Batch], every_ns: int = 1) -> list[str | None]:
    """All events of some batches, each so long after the one before, to the end."""
    held, found = Held(), []
    for number, batch in enumerate(batches):
        gathered = made.gather(held, batch, number * every_ns)
        found += texts(gathered)
        held = gathered.held
    return found + texts(made.gather(held, lines(), len(batches) * every_ns, last=True))


@pytest.mark.parametrize(
    ("settings", "given_", "wanted"),
    [
        pytest.param(
            {"continues": r"^\s"}, ["a", " 1", " 2", "b", "c", " 3"], ["a\n 1\n 2", "b", "c\n 3"], id="continues"
        ),
        pytest.param({"starts": r"^\d"}, ["1 a", "x", "y", "2 b"], ["1 a\nx\ny", "2 b"], id="starts"),
        pytest.param({"continues": r"^\s"}, [" first", " 1", "a"], [" first\n 1", "a"], id="begins in the middle"),
        pytest.param({"starts": r"^\d"}, ["x", "1", "2"], ["x", "1", "2"], id="nothing to put together"),
        pytest.param({"continues": r"^\s"}, ["a", None, " 1"], ["a", " 1"], id="a line without text"),
        pytest.param({"starts": "no such"}, ["a", "b", "c"], ["a\nb\nc"], id="nothing begins"),
    ],
)
def test_lines_become_events(settings: dict[str, Any], given_: list[str], wanted: list[str]) -> None:
    assert run(step(**settings), [lines(*given_)]) == wanted
    assert run(step(**settings), [lines(one) for one in given_]) == wanted


def test_an_event_has_the_fields_of_its_first_line() -> None:
    batch = Batch.from_records([{"message": "a", "n": 1, "level": "warn"}, {"message": " b", "n": 2, "x": "y"}])
    (event,) = step(continues=r"^\s").gather(Held(), batch, 0, last=True).batch.events()
    assert (event["message"], event["n"], event["severity"], "x" in event) == ("a\n b", 1, "WARN", False)


def test_streams_that_come_together_are_told_apart() -> None:
    batch = Batch.from_records(
        [
            {"message": text, "host": host}
            for text, host in (("a", "x"), ("b", "y"), (" a", "x"), (" b", "y"), ("c", "x"))
        ]
    )
    found = step(continues=r"^\s").gather(Held(), batch, 0)
    assert texts(found) == ["a\n a"]
    assert sorted(texts(found.held), key=str) == ["b\n b", "c"]
    assert run(step(continues=r"^\s", by=[]), [batch]) == ["a", "b\n a\n b", "c"]


class TestTimeouts:
    def test_what_waits_long_enough_is_whole(self) -> None:
        made = step(continues=r"^\s", timeout="2s")
        first = made.gather(Held(), lines("a"), 0)
        assert (texts(first), texts(first.held)) == ([], ["a"])
        before = made.gather(first.held, lines(), 2 * SECOND - 1)
        assert (texts(before), texts(before.held), before.held.at) == ([], ["a"], [0])
        after = made.gather(before.held, lines(), 2 * SECOND)
        assert (texts(after), texts(after.held)) == (["a"], [])

    def test_each_line_is_waited_for_anew(self) -> None:
        batches = [lines("a"), *(lines(f" {n}") for n in range(5))]
        assert run(step(continues=r"^\s", timeout="2s"), batches, SECOND) == ["a\n 0\n 1\n 2\n 3\n 4"]

    def test_a_line_that_comes_too_late_is_an_event(self) -> None:
        assert run(step(continues=r"^\s", timeout="2s"), [lines("a"), lines(" 1", " 2")], 3 * SECOND) == ["a", " 1\n 2"]

    def test_one_stream_waits_while_others_go_on(self) -> None:
        made, held, found = step(continues=r"^\s", timeout="2s"), Held(), []
        for number in range(4):
            gathered = made.gather(held, lines(f"{number}", host="busy"), number * SECOND)
            if number == 0:
                gathered = made.gather(gathered.held, lines("quiet", host="quiet"), 0)
            found.append(texts(gathered))
            held = gathered.held
        assert found == [[], ["0"], ["quiet", "1"], ["2"]] or found == [[], ["0"], ["1", "quiet"], ["2"]]


class TestBounds:
    def test_lines(self) -> None:
        made = step(continues=r"^\s", max_lines=3)
        given_ = ["a", *(f" {n}" for n in range(6)), "b"]
        for batches in ([lines(*given_)], [lines(one) for one in given_]):
            assert run(made, batches) == ["a\n 0\n 1", " 2\n 3\n 4", " 5", "b"]
        told = made.gather(Held(), lines(*given_), 0, last=True).batch.frame["parse_error"]
        assert told.str.contains("max_lines").to_list() == [True, True, True, None]

    def test_bytes(self) -> None:
        made = step(continues=r"^\s", max_bytes=1024)
        given_ = ["a", *(" " + "x" * 500 for _ in range(6))]
        for batches in ([lines(*given_)], [lines(one) for one in given_]):
            sizes = [len(text or "") for text in run(made, batches)]
            assert max(sizes) <= 1024 + 501
            assert sum(sizes) + len(sizes) == sum(map(len, given_)) + len(given_)

    def test_streams_that_wait(self) -> None:
        made = step(continues=r"^\s")
        first = made.gather(
            Held(), Batch.from_records([{"message": f"{n}", "host": f"h{n}"} for n in range(MOST_STREAMS)]), 0
        )
        assert len(first.held.batch) == MOST_STREAMS
        more = made.gather(first.held, lines("new", host="new"), 1)
        assert (texts(more), len(more.held.batch)) == (["0"], MOST_STREAMS)
        assert "new" in texts(more.held)

    def test_bytes_that_wait(self) -> None:
        records = [{"message": f"{n} " + "x" * 100_000, "host": f"h{n}"} for n in range(20)]
        found = step(continues=r"^\s", max_bytes=MOST_BYTES).gather(Held(), Batch.from_records(records), 0)
        assert sum(map(len, found.held.batch.frame["message"].to_list())) <= MOST_BYTES
        assert 9 <= len(found.held.batch) <= 10
        assert len(found.batch) + len(found.held.batch) == 20


@given(st.lists(st.tuples(st.sampled_from(["a", " x", "b", " y"]), st.sampled_from("pq"), st.booleans()), max_size=30))
def test_batches_make_no_difference(drawn: list[tuple[str, str, bool]]) -> None:
    """However lines are cut into batches, each stream's events are those of all lines at once."""
    records = [{"message": f"{text}{n}", "host": host} for n, (text, host, _) in enumerate(drawn)]
    batches: list[list[dict[str, str]]] = [[]]
    for record, (_, _, cut) in zip(records, drawn, strict=True):
        if cut:
            batches.append([])
        batches[-1].append(record)
    made = step(continues=r"^ ", max_lines=4)
    whole = run(made, [Batch.from_records(records)]) if records else []
    parts = run(made, [Batch.from_records(some) if some else lines() for some in batches])
    assert sorted(map(str, parts)) == sorted(map(str, whole))
    together = [line for text in parts for line in (text or "").split("\n")]
    assert sorted(together) == sorted(record["message"] for record in records)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"starts": "a", "continues": "b"},
        {"starts": "("},
        {"starts": "a", "timeout": "6m"},
        {"starts": "a", "max_lines": 1},
        {"starts": "a", "max_bytes": 2 * MOST_BYTES},
    ],
)
def test_settings_that_are_wrong(settings: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ValidationError)):
        step(**settings)


@pytest.mark.parametrize(
    ("parse", "said"),
    [
        pytest.param("[json, {type: multiline, starts: a}]", "is a pipeline's first", id="second"),
        pytest.param(
            "[{type: route, branches: [{when: a, parse: [{type: multiline, starts: a}]}]}]",
            "is a pipeline's first",
            id="route",
        ),
        pytest.param('[{type: multiline, starts: a, when: "x:y"}]', "sees all of them", id="when"),
        pytest.param("[{type: multiline, starts: a, on_error: dead_letter}]", "sees all of them", id="on_error"),
        pytest.param("[{type: multiline, starts: '('}]", "no regular expression", id="pattern"),
    ],
)
def test_where_it_may_stand(parse: str, said: str) -> None:
    text = f"version: 1\nsources: {{a: {{type: stdin}}}}\npipelines:\n  p: {{from: [a], parse: {parse}}}\n"
    with pytest.raises(ConfigErrors, match=r"pipelines\.p\.parse") as caught:
        load_text(text, load_plugins())
    assert said in str(caught.value)


def test_a_parse_error_of_a_line_stays() -> None:
    batch = Batch(lines("a", " b").frame.with_columns(parse_error=pl.Series(["cut", None], dtype=pl.String)))
    assert step(continues=r"^\s").gather(Held(), batch, 0, last=True).batch.frame["parse_error"].to_list() == ["cut"]
