"""Steps that change the number of events or remember: what becomes of rows, dead letters and refused commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import asyncpg
import pytest
from cordwood.config import ConfigErrors, Settings, load_text, pipeline_schema
from cordwood.core.query import BatchFilter
from cordwood.core.query.shaped import Shaped, ShapedPattern
from cordwood.core.query.shaped_store import ShapedStore
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime import reads as reads_module
from cordwood.core.runtime.outlet import StoreOutlet
from cordwood.core.runtime.pipeline import Outcome, RunningPipeline
from cordwood.core.runtime.reads import NOTHING_KNOWN, Known, Merged, PipelineReads
from cordwood.plugins import Batch, Part, RejectedError, RetryableError, load_plugins
from cordwood.web import create_app
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
REGISTRY = load_plugins()
HEAD = "version: 1\nsources: {app: {type: http}}\npipelines:\n  web:\n    from: [app]\n    parse: "
ROUTE = """
      - type: route
        branches:
          - {when: "kind:a", parse: [{type: set, fields: {branch: a}}]}
          - when: "kind:b or kind:a"
            parse:
              - {type: set, fields: {branch: b}}
              - {type: drop, when: "n<2"}
              - {type: regex, pattern: '^(?P<said>ok)', on_error: dead_letter}
        else: [{type: set, fields: {branch: rest}}]
      - {type: set, fields: {after: true}}
"""


def config(parse: str) -> Any:
    return load_text(HEAD + parse, REGISTRY, check_when=BatchFilter)


def pipeline(parse: str) -> RunningPipeline:
    return RunningPipeline(config(parse).pipelines["web"], REGISTRY)


def run(parse: str, *events: dict[str, Any]) -> Outcome:
    return pipeline(parse).run(Batch.from_records(events), "app")


def messages(outcome: Outcome) -> list[str]:
    return outcome.batch.frame["message"].to_list()


def rows(outcome: Outcome) -> list[int]:
    return list(range(len(outcome.entered))) if outcome.kept is None else outcome.kept.to_list()


class TestSplit:
    def test_each_element_is_an_event_with_the_other_fields(self) -> None:
        outcome = run(
            "[{type: split, field: records}]",
            {"host": "h1", "records": [{"msg": "one", "level": "error"}, {"msg": "two", "n": 2}]},
            {"host": "h2", "message": "plain"},
            {"host": "h3", "message": "kept", "records": []},
            {"host": "h4", "records": [1, "x", [2]]},
        )
        events = [
            {name: value for name, value in event.items() if "timestamp" not in name and name != "source"}
            for event in outcome.batch.events()
        ]
        assert events == [
            {"host": "h1", "message": "one", "severity": "ERROR", "severity_text": "error"},
            {"host": "h1", "message": "two", "n": 2},
            {"host": "h2", "message": "plain"},
            {"host": "h3", "message": "kept", "records": []},
            {"host": "h4", "records": 1},
            {"host": "h4", "records": "x"},
            {"host": "h4", "records": [2]},
        ]
        assert (rows(outcome), outcome.left_out) == ([0, 0, 1, 2, 3, 3, 3], 0)

    def test_a_text_is_taken_apart(self) -> None:
        outcome = run('[{type: split, separator: ";"}]', {"message": "a;b;;c;"}, {"message": "whole"}, {"message": ";"})
        assert messages(outcome) == ["a", "b", "c", "whole", ";"]

    def test_what_is_no_array_stays(self) -> None:
        tricky = ["[1],[2]", "[1", "[2]]", '[{"message": "in"}]', "[\n3]"]
        outcome = run("[{type: split}]", *({"message": text} for text in tricky))
        assert messages(outcome) == ["[1],[2]", "[1", "[2]]", "in", "3"]
        assert outcome.batch.frame["parse_error"].to_list() == ["split: no array"] * 3 + [None, None]

    @pytest.mark.parametrize(("parts", "other"), [(10_001, 1), (100, 200_000)])
    def test_one_that_would_be_too_many_stays(self, parts: int, other: int) -> None:
        outcome = run("[{type: split, field: list}]", {"list": [1] * parts, "other": "x" * other, "message": "m"})
        assert outcome.batch.frame["parse_error"].to_list() == ["split: too many parts"]

    def test_of_one_with_a_dead_part_all_is_one_dead_letter(self) -> None:
        outcome = run(
            '[{type: split}, {type: regex, pattern: "^ok (?P<n>.)", on_error: dead_letter}]',
            {"message": '["ok 1", "ok 2"]'}, {"message": '["ok 3", "bad", "worse"]'}, {"message": '["ok 4"]'},
        )  # fmt: skip
        assert outcome.batch.frame["n"].to_list() == ["1", "2", "4"]
        (fallen,) = outcome.fallen
        assert (fallen.rows.to_list(), fallen.step, rows(outcome)) == ([1], 2, [0, 0, 2])
        assert outcome.left_out == 0


class TestRoute:
    EVENTS = (
        {"kind": "a", "n": 1}, {"kind": "b", "n": 1, "message": "ok"}, {"kind": "c", "n": 3},
        {"kind": "b", "n": 4, "message": "bad"}, {"kind": "b", "n": 5, "message": "ok"}, {"n": 6},
    )  # fmt: skip

    def test_each_event_goes_through_the_first_that_finds_it(self) -> None:
        outcome = run(ROUTE, *self.EVENTS)
        frame = outcome.batch.frame
        assert list(zip(frame["n"], frame["branch"], strict=True)) == [(1, "a"), (3, "rest"), (5, "b"), (6, "rest")]
        assert frame["after"].all()
        assert (rows(outcome), outcome.left_out) == ([0, 2, 4, 5], 1)
        (fallen,) = outcome.fallen
        assert (fallen.rows.to_list(), fallen.step, fallen.parser) == ([3], 1, "regex")

    def test_what_no_branch_finds_stays(self) -> None:
        outcome = run('[{type: route, branches: [{when: "n>1", parse: [drop]}]}]', *self.EVENTS)
        assert outcome.batch.frame["n"].to_list() == [1, 1]

    MIXED = pipeline("""
      - type: route
        branches:
          - {when: "kind:a", parse: [{type: split, field: list}]}
          - {when: "kind:b", parse: [{type: drop, when: "n=0"}, {type: set, fields: {b: true}}]}
    """)

    @settings(max_examples=20)
    @given(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.lists(st.integers(), max_size=3)), max_size=6)
    )
    def test_it_is_what_each_event_alone_would_be(self, drawn: list[tuple[str, int, list[int]]]) -> None:
        events = [{"kind": kind, "n": n, "list": listed, "message": "m"} for kind, n, listed in drawn]
        together = self.MIXED.run(Batch.from_records(events, observed=0), "app")
        alone = [self.MIXED.run(Batch.from_records([event], observed=0), "app") for event in events]
        assert together.batch.events() == [event for one in alone for event in one.batch.events()]
        assert rows(together) == [row for row, one in enumerate(alone) for _ in range(len(one.batch))]

    @pytest.mark.parametrize(
        ("parse", "line", "message"),
        [
            ("[{type: route}]", 6, "branches: must be a list of branches"),
            ("[{type: route, branches: [{parse: []}]}]", 6, "branches[0]: must have a search at when"),
            ('[{type: route, branches: [{when: "a", parse: 3}]}]', 6, "branches[0].parse: must be a list of steps"),
            ('[{type: route, branches: [{when: "a:(", parse: []}]}]', 6, "branches[0].when"),
            ('[{type: route, branches: [{when: "a", parse: [jsn]}]}]', 6, "no parser of type jsn"),
            ('[{type: route, branches: [{when: "a", parse: []}], els: []}]', 6, "there is no setting els"),
            ("[" + '{type: route, branches: [{when: "a", parse: [' * 6 + "]}]}" * 6 + "]", 6, "5 others at most"),
        ],
    )
    def test_mistakes_have_a_place(self, parse: str, line: int, message: str) -> None:
        with pytest.raises(ConfigErrors, match=r"pipelines\.web\.parse\[0\]") as caught:
            config(parse)
        assert message in str(caught.value)
        assert f":{line}:" in str(caught.value)

    def test_editors_know_it(self) -> None:
        import yaml

        validator = Draft202012Validator(pipeline_schema(REGISTRY))
        assert validator.is_valid(yaml.safe_load(HEAD + ROUTE))
        assert not validator.is_valid(yaml.safe_load(HEAD + ROUTE.replace("else:", "els:")))


def one_by_one(made: RunningPipeline, batches: Sequence[Sequence[str]], committed: Sequence[bool]) -> list[list[str]]:
    """What each batch of messages becomes, each settled before the next."""
    found = []
    for texts, stored in zip(batches, committed, strict=True):
        outcome = made.run(Batch.from_lines(texts), "app")
        found.append(messages(outcome))
        for settle in outcome.settle:
            settle(stored)
    return found


class TestDedupe:
    PARSE = "[{type: dedupe, fields: [message]}]"

    def test_a_repetition_of_what_is_stored_is_left_out(self) -> None:
        found = one_by_one(pipeline(self.PARSE), [["a", "b", "a"], ["b", "c"], ["c"]], [True, True, True])
        assert found == [["a", "b"], ["c"], []]

    def test_what_was_not_stored_comes_again(self) -> None:
        found = one_by_one(pipeline(self.PARSE), [["a"], ["a"], ["a"]], [False, True, True])
        assert found == [["a"], ["a"], []]

    def test_nothing_is_left_out_for_what_may_yet_fail(self) -> None:
        made = pipeline(self.PARSE)
        first, second = (made.run(Batch.from_lines(["a"]), "app") for _ in range(2))
        assert messages(first) == messages(second) == ["a"]
        for outcome in (first, second):
            for settle in outcome.settle:
                settle(True)
        assert messages(made.run(Batch.from_lines(["a"]), "app")) == []

    def test_the_window_ends(self) -> None:
        made, minute = pipeline("[{type: dedupe, fields: [message], window: 1m}]"), 60_000_000_000
        found = []
        for at in (0, minute // 2, minute + 1):
            outcome = made.run(Batch.from_lines(["a"], observed=10 * minute + at), "app")
            found.append(len(outcome.batch))
            for settle in outcome.settle:
                settle(True)
        assert found == [1, 0, 1]

    def test_fields_that_are_no_text_and_those_that_are_missing(self) -> None:
        parse = "[{type: dedupe, fields: [id, kind]}]"
        outcome = run(
            parse, {"id": 1}, {"id": "1"}, {"id": 1, "kind": ""}, {"kind": "1"}, {"x": 1}, {"x": 1}, {"id": 1}
        )
        assert rows(outcome) == [0, 2, 3, 4, 5]

    def test_its_memory_is_bounded(self) -> None:
        from cordwood.plugins.recent import MOST

        made = pipeline(self.PARSE)
        for part in range(3):
            one_by_one(made, [[f"{part} {n}" for n in range(MOST // 2)]], [True])
        assert one_by_one(made, [["2 0", "1 0", "0 0"]], [True]) == [["0 0"]]


class TestThrottle:
    def test_so_many_of_each_go_on(self) -> None:
        parse = "[{type: throttle, events: 2, by: [message], every: 1h}]"
        found = one_by_one(pipeline(parse), [["a", "b", "a", "a"], ["a", "b", "b"]], [True, True])
        assert found == [["a", "b", "a"], ["b"]]

    def test_what_was_not_stored_does_not_count(self) -> None:
        parse = "[{type: throttle, events: 2, every: 1h}]"
        found = one_by_one(pipeline(parse), [["a"], ["b", "c"], ["d", "e", "f"], ["g"]], [True, False, True, True])
        assert found == [["a"], ["b"], ["d"], []]

    def test_the_next_interval_begins_anew(self) -> None:
        made, minute = pipeline("[{type: throttle, events: 1}]"), 60_000_000_000
        ats = (10 * minute, 11 * minute - 1, 11 * minute)
        assert [len(made.run(Batch.from_lines(["a"], observed=at), "app").batch) for at in ats] == [1, 0, 1]


class TestStorm:
    def test_the_rest_is_one_event_with_its_number(self) -> None:
        parse = "[{type: storm, events: 2, every: 1h}]"
        lines = [f"disk {n} is full" for n in range(41_235)] + ["once", "no 1", "no 2", "no 3"]
        outcome = run(parse, *({"message": line, "level": "error"} for line in lines))
        assert messages(outcome) == [
            "disk 0 is full", "disk 1 is full", "disk 41234 is full (repeated 41,233 times)",
            "once", "no 1", "no 2", "no 3",
        ]  # fmt: skip
        told = outcome.batch.frame["repeated"]
        assert len(outcome.batch) - (len(told) - told.null_count()) + told.sum() == len(lines)

    @given(st.lists(st.lists(st.sampled_from(["a 1", "a 2", "b", "c 7"]), max_size=8), max_size=8), st.data())
    def test_counts_are_exact_whatever_fails(self, batches: list[list[str]], data: st.DataObject) -> None:
        made, sent, stored = pipeline("[{type: storm, events: 2, every: 1h}]"), 0, 0
        for texts in batches:
            outcome = made.run(Batch.from_lines(texts, observed=0), "app")
            committed = data.draw(st.booleans())
            if committed:
                sent += len(texts)
                column = outcome.batch.frame
                numbers = column["repeated"].to_list() if "repeated" in column.columns else [None] * len(column)
                stored += sum(1 if number is None else number for number in numbers)
            for settle in outcome.settle:
                settle(committed)
        assert stored == sent

    def test_merged_patterns_are_one(self) -> None:
        """Of two that are merged the limit is one; of one that is split each mask has its own."""
        shaped = Shaped(
            [ShapedPattern(("VM <*> started", "VM <*> stopped")), ShapedPattern(("login by <*> now",), split=1)]
        )
        parse = "[{type: storm, events: 1, every: 1h}]"
        sent = ["VM 1 started", "VM 2 stopped", "VM 3 started", "other", "login by ann now", "login by bob now"]
        batch = Batch.from_lines(sent, observed=0)
        assert messages(pipeline(parse).run(batch, "app", known=Known(merged=Merged(shaped)))) == [
            "VM 1 started", "VM 3 started (repeated 2 times)", "other", "login by ann now", "login by bob now",
        ]  # fmt: skip
        assert messages(pipeline(parse).run(batch, "app")) == [
            "VM 1 started", "VM 2 stopped", "VM 3 started", "other", "login by ann now", "login by bob now",
        ]  # fmt: skip
        assert pipeline(parse).by_patterns
        assert pipeline(f"[{{type: route, branches: [{{when: '*', parse: {parse}}}]}}]").by_patterns
        assert not pipeline("[{type: dedupe, fields: [message]}]").by_patterns


def test_requests_cannot_use_them() -> None:
    made = pipeline("[]")
    for asked, why in (
        ({"type": "dedupe", "fields": ["a"]}, "leaves events out"),
        ({"type": "split"}, "makes more events"),
        ({"type": "route"}, "no parser of type route"),
    ):
        with pytest.raises(RejectedError, match=why):
            made.run(Batch.from_lines(["x"]), "app", asked)


@pytest.fixture
def running(database_url: str, data_dir: Path) -> Callable[[str], Node]:
    def make(parse: str) -> Node:
        file = data_dir / "cordwood.yaml"
        file.write_text(HEAD + parse)
        process = Settings(data_dir=data_dir, database_url=database_url, config=file)
        return Node(process, load_checked(file, REGISTRY), REGISTRY)

    return make


async def test_over_http(running: Callable[[str], Node], client_of: Callable[..., Client]) -> None:
    parse = """
      - {type: split, field: list}
      - {type: route, branches: [{when: "kind:storm", parse: [{type: storm, events: 1, every: 1h}]}],
         else: [{type: dedupe, fields: [id]}, {type: throttle, events: 3, by: [kind], every: 1h}]}
    """
    node = running(parse)
    async with node.running(), client_of(create_app(node)) as client:
        assert await client.logs({"list": [{"id": 1}, {"id": 2}], "kind": "x"}, **{"Idempotency-Key": "k"}) == 1
        assert await client.logs({"list": [{"id": 1}, {"id": 2}], "kind": "x"}, **{"Idempotency-Key": "k"}) == 1
        assert await client.logs({"id": 2, "kind": "x"}, {"id": 3, "kind": "x"}, {"id": 4, "kind": "x"}) == 3
        assert await client.logs(*({"kind": "storm", "message": f"storm {n}"} for n in range(500))) == 500
        found = await client.rows("kind:x | sort id | fields id")
        assert [row["id"] for row in found] == [1, 2, 3]
        assert await client.rows("kind:storm | stats count() as n, sum(repeated) as r") == [{"n": 2, "r": 499}]
        exact = "kind:storm | stats count() - count(repeated) + sum(repeated) as n"
        assert await client.rows(exact) == [{"n": 500}]
        metrics = (await client.get("/metrics")).text
        assert 'cordwood_source_left_out_events_total{source="app",type="http"}' in metrics
        (line,) = [one for one in (await client.get("/api/v1/pipelines")).json()["pipelines"] if one["name"] == "web"]
        storm, rest = line["parse"][1]["branches"]
        assert (storm["when"], storm["events"], storm["parse"][0]["left_out"]) == ("kind:storm", 500, 498)
        assert (rest["when"], [step["left_out"] for step in rest["parse"]]) == (None, [3, 1])


async def test_a_storm_of_patterns_that_are_merged_while_it_lasts(
    running: Callable[[str], Node], client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = running("[{type: storm, events: 1, every: 1h}]")
    async with node.running(), client_of(create_app(node)) as client:
        await client.logs({"message": "VM Started"}, {"message": "VM Stopped"})
        answer = await client.post("/api/v1/patterns", json={"patterns": ["VM Started", "VM Stopped"]})
        assert answer.status_code == 201
        sent = 2
        # As long as they are two patterns, each batch has one event more of either, as it came.
        with anyio.fail_after(60):
            while not await client.rows("repeated:* | limit 1"):
                await client.logs({"message": "VM Stopped"}, {"message": "VM Started"})
                sent += 2
                await anyio.sleep(0.2)
        assert await client.rows("repeated:* | fields message, repeated") == [
            {"message": "VM Started (repeated 2 times)", "repeated": 2}
        ]
        assert await client.rows("| stats count() - count(repeated) + sum(repeated) as n") == [{"n": sent}]
        # With the database gone, what was read before is used on.
        monkeypatch.setattr(reads_module, "_EVERY_S", 0.0)
        pool = await asyncpg.create_pool(node.settings.database_url, min_size=1, max_size=1)
        reads = PipelineReads(node.tables, ShapedStore(pool))
        assert await reads.of(node.project_id, (), by_patterns=False) is NOTHING_KNOWN
        known = await reads.of(node.project_id, (), by_patterns=True)
        assert known.merged.of_mask("VM Stopped") == "VM Started"
        assert (await reads.of(node.project_id, (), by_patterns=True)).merged is known.merged
        await pool.close()
        assert (await reads.of(node.project_id, (), by_patterns=True)).merged is known.merged
        with pytest.raises(RetryableError, match="the merged patterns are not known"):
            await reads.of(node.project_id + 1, (), by_patterns=True)


async def test_requests_at_once_do_not_lean_on_each_other(running: Callable[[str], Node]) -> None:
    node = running("[{type: dedupe, fields: [message]}]")
    async with node.running():
        outlet = node.sources["app"].outlet
        batch, parts = Batch.from_lines(["a", "a", "b", "a"]), [Part(1, "k1"), Part(1, "k2"), Part(2)]
        receipts = await outlet.send_parts(batch, parts)
        assert [(await receipt.committed()).accepted for receipt in receipts] == [1, 1, 2]
        receipt = await outlet.send(Batch.from_lines(["a", "c"]))
        assert (await receipt.committed()).accepted == 2
        assert outlet.counters.left_out >= 1


async def test_a_commit_that_fails_is_forgotten(
    running: Callable[[str], Node], client_of: Callable[..., Client]
) -> None:
    node = running("[{type: dedupe, fields: [message]}]")
    async with node.running(), client_of(create_app(node)) as client:
        outlet: StoreOutlet = node.sources["app"].outlet
        pool = node.store.pool
        await pool.execute("alter table segment add constraint refuse check (false) not valid")
        with anyio.fail_after(60), pytest.raises(RetryableError):
            await (await outlet.send(Batch.from_lines(["precious"]))).committed()
        await pool.execute("alter table segment drop constraint refuse")
        for _ in range(2):
            await (await outlet.send(Batch.from_lines(["precious"]))).committed()
        assert await client.rows("precious | stats count() as n") == [{"n": 1}]
