"""Dead letters: what a step cannot read is kept as it came, and replayed through the mended pipeline, once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from cordwood.config import ConfigErrors, Limits, Settings, load_text
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime.pipeline import RunningPipeline
from cordwood.core.storage.dead_letters import _TEXT, packed, unpacked
from cordwood.plugins import Batch, RetryableError, concat, load_plugins
from cordwood.web import create_app
from hypothesis import given, settings
from hypothesis import strategies as st

from ..conftest import ROOT

pytestmark = pytest.mark.anyio
GOOD = [{"message": f"ok {n}", "user": n if n % 2 else f"u{n}"} for n in range(6)]
BAD = [{"message": f"bad {n}", "tags": ["a", n], "n": n} for n in range(6)]
MIXED = [event for pair in zip(GOOD, BAD, strict=True) for event in pair]
WRONG = "{type: regex, pattern: '^ok (?P<number>[0-9]+)$', types: {number: int}, on_error: dead_letter}"
MENDED = "{type: regex, pattern: '^(ok|bad) (?P<number>[0-9]+)$', types: {number: int}, on_error: dead_letter}"


def text(step: str, more: str = "") -> str:
    return f"""
version: 1
{more}
sources:
  app: {{type: http}}
pipelines:
  web:
    from: [app]
    service: shop
    parse:
      - {step}
      - {{type: regex, pattern: '^(?P<word>.*) [0-9]+$'}}
"""


def pipeline(step: str) -> RunningPipeline:
    registry = load_plugins()
    return RunningPipeline(load_text(text(step), registry).pipelines["web"], registry)


VALUES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
                   st.text(max_size=20), st.lists(st.integers(0, 9), max_size=2))  # fmt: skip
EVENTS = st.dictionaries(st.sampled_from(["message", "a", "b", "a#int", "host", "x.y", "level", "ts"]), VALUES)


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_an_event_comes_back_as_it_was(events: list[dict[str, Any]]) -> None:
    batch = Batch.from_records(events)
    again = concat(unpacked(packed(batch)))
    assert again.events() == batch.events()
    assert {name for name in again.frame.columns if again.frame[name].null_count() < len(batch)} == {
        name for name in batch.frame.columns if batch.frame[name].null_count() < len(batch)
    }


def test_what_a_step_cannot_read_leaves_the_pipeline_there() -> None:
    batch = Batch.from_records(MIXED)
    outcome = pipeline(WRONG).run(batch, "app")
    assert outcome.batch.frame["message"].to_list() == [event["message"] for event in GOOD]
    assert outcome.batch.frame["word"].to_list() == ["ok"] * 6
    (fallen,) = outcome.fallen
    assert (fallen.step, fallen.parser, fallen.rows.to_list()) == (1, "regex", [1, 3, 5, 7, 9, 11])
    assert outcome.kept is not None
    assert outcome.kept.to_list() == [0, 2, 4, 6, 8, 10]
    assert outcome.entered.frame.equals(batch.frame)
    alone = pipeline(WRONG).run(Batch(batch.frame.filter(pl.col("message").str.starts_with("ok"))), "app")
    assert alone.batch.events() == outcome.batch.events()
    assert alone.fallen == []


def test_without_the_setting_it_is_kept_as_before() -> None:
    outcome = pipeline(WRONG.replace(", on_error: dead_letter", "")).run(Batch.from_records(MIXED), "app")
    assert len(outcome.batch) == 12
    assert outcome.batch.frame["parse_error"].null_count() == 6
    assert (outcome.kept, outcome.fallen) == (None, [])


def test_a_step_with_when_and_an_event_that_came_with_an_error() -> None:
    events = [*MIXED, {"message": "bad 99", "parse_error": "by its source"}]
    outcome = pipeline(WRONG.replace("type: regex", "type: regex, when: 'n>2'", 1)).run(Batch.from_records(events), "a")
    assert [event["message"] for event in outcome.batch.events()][-1] == "bad 99"
    (fallen,) = outcome.fallen
    assert outcome.entered.frame["message"].gather(fallen.rows).to_list() == ["bad 3", "bad 4", "bad 5"]


class Site:
    """A node with a pipeline file, and its API."""

    def __init__(self, node: Node, client: Any, file: Path) -> None:
        self.node, self.client, self.file = node, client, file

    async def mend(self, step: str = MENDED) -> None:
        self.file.write_text(text(step))
        assert await self.node.reload() == []

    async def count(self, query: str = "*") -> int:
        return int((await self.client.rows(f"{query} | stats count() as n"))[0]["n"])

    async def listed(self, **params: Any) -> dict[str, Any]:
        answer = await self.client.get("/api/v1/dead-letters", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def replay(self, **body: Any) -> dict[str, Any]:
        answer = await self.client.post("/api/v1/dead-letters/replay", json=body)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done


@pytest.fixture
def open_site(database_url: str, data_dir: Path, client_of: Callable[..., Any]) -> Any:
    @asynccontextmanager
    async def make(config: str) -> AsyncIterator[Site]:
        file, registry = data_dir / "cordwood.yaml", load_plugins()
        file.write_text(config)
        settings_ = Settings(data_dir=data_dir, database_url=database_url, config=file)
        node = Node(settings_, load_checked(file, registry), registry)
        async with node.running(), client_of(create_app(node)) as client:
            yield Site(node, client, file)

    return make


def test_the_page() -> None:
    page = (ROOT / "docs" / "dead-letters.md").read_text()
    (config,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    steps = load_text(config, load_plugins()).pipelines["web"].parse
    assert [step.on_error for step in steps] == ["dead_letter", "keep"]
    assert f"({Limits().dead_letters:,})" in page
    assert Limits().dead_letter_bytes == 256 << 20
    assert f"{_TEXT:,} characters" in page
    with pytest.raises(ConfigErrors, match=r"on_error: drop is none of keep, dead_letter"):
        load_text(config.replace("dead_letter", "drop"), load_plugins())


async def test_wrong_parser_then_mended_then_all_there_once(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        assert await site.client.logs(*MIXED) == 12
        assert await site.count() == 6
        metrics = (await site.client.get("/metrics")).text
        assert 'cordwood_source_dead_letters_total{source="app",type="http"} 6.0' in metrics
        found = await site.listed(limit=4, pipeline="web")
        assert (len(found["items"]), found["count"], found["dropped"]) == (4, 6, 0)
        newest = found["items"][0]
        told = {name: newest[name] for name in ("source", "pipeline", "step", "parser", "message", "attempts")}
        assert told == {
            "source": "app",
            "pipeline": "web",
            "step": 1,
            "parser": "regex",
            "message": "bad 5",
            "attempts": 1,
        }
        assert newest["reason"].startswith("regex: ")
        rest = await site.listed(limit=4, cursor=found["next_cursor"])
        assert ([item["message"] for item in rest["items"]], rest["next_cursor"]) == (["bad 1", "bad 0"], None)
        details = (await site.client.get(f"/api/v1/dead-letters/{newest['id']}")).json()
        event = details["event"]
        assert {name: event[name] for name in BAD[5]} == BAD[5]
        rows = await site.client.rows("from ingest_errors parser:regex bad | sort id | fields text, pipeline, attempts")
        assert rows == [{"text": f"bad {n}", "pipeline": "web", "attempts": 1} for n in range(6)]

        assert await site.replay() == {"replayed": 0, "failed": 6, "next_cursor": None}  # nothing was mended
        again = (await site.listed())["items"]
        assert {item["attempts"] for item in again} == {2}
        assert newest["id"] in {item["id"] for item in again}

        await site.mend()
        assert await site.replay(ids=[newest["id"]]) == {"replayed": 1, "failed": 0, "next_cursor": None}
        assert await site.replay(source="another") == {"replayed": 0, "failed": 0, "next_cursor": None}
        assert await site.replay(source="app") == {"replayed": 5, "failed": 0, "next_cursor": None}
        assert await site.replay() == {"replayed": 0, "failed": 0, "next_cursor": None}
        assert await site.count() == 12
        rows = await site.client.rows("word:bad service:shop | fields message, number, n, tags, observed_timestamp")
        assert sorted((row["message"], row["number"], row["n"], row["tags"]) for row in rows) == [
            (f"bad {n}", n, n, ["a", n]) for n in range(6)
        ]
        assert event["observed_timestamp"] in {row["observed_timestamp"] for row in rows}
        assert (await site.listed())["count"] == 0
        told = (await site.client.get("/api/v1/audit?what=dead_letter")).json()["items"]
        assert {"source": "app", "after": 0} in [entry["details"] for entry in told]


async def test_a_key_holds_for_what_was_dead_lettered_too(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        for _ in range(2):
            assert await site.client.logs(*BAD, **{"Idempotency-Key": "k"}) == 6
        assert (await site.listed())["count"] == 6
        assert await site.count() == 0


async def test_small_requests_at_once_each_get_their_own(open_site: Any) -> None:
    """Their rows travel in one batch, of which some are taken out."""
    accepted: list[int] = []
    async with open_site(text(WRONG)) as site:

        async def post(n: int) -> None:
            key = {"Idempotency-Key": f"k{n}"} if n % 3 else {}
            accepted.append(await site.client.logs(*MIXED[: n + 1], **key))

        async with anyio.create_task_group() as tasks:
            for n in range(12):
                tasks.start_soon(post, n)
        assert sorted(accepted) == list(range(1, 13))
        assert await site.count() + (await site.listed())["count"] == sum(accepted)
        await site.mend()
        await site.replay()
        rows = await site.client.rows("| stats count() as n by message | sort message")
        assert sum(row["n"] for row in rows) == sum(accepted)
        assert {row["message"]: row["n"] for row in rows} == {
            event["message"]: 12 - place for place, event in enumerate(MIXED)
        }


async def test_replays_at_once_store_each_once(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        await site.client.logs(*({"message": f"bad {n}"} for n in range(500)))
        await site.mend()
        done: list[int] = []

        async def one() -> None:
            done.append((await site.replay())["replayed"])

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(one)
        assert sum(done) == 500
        assert await site.count() == 500


async def test_only_so_many_are_kept(open_site: Any) -> None:
    async with open_site(text(WRONG, "limits: {dead_letters: 10}")) as site:
        await site.client.logs(*({"message": f"bad {n}"} for n in range(25)))
        await site.client.logs({"message": "bad 25"})
        found = await site.listed()
        assert [item["message"] for item in found["items"]] == [f"bad {n}" for n in range(25, 15, -1)]
        assert (found["count"], found["dropped"]) == (10, 16)
        assert found["bytes"] == sum(item["bytes"] for item in found["items"])
    async with open_site(text(WRONG, "limits: {dead_letter_bytes: 2000}")) as site:
        await site.client.logs(*({"message": f"bad {n}", "x": "x" * 500} for n in range(5)))
        found = await site.listed()
        assert 0 < found["bytes"] <= 2000
        assert found["items"][0]["message"] == "bad 4"


async def test_one_that_is_deleted_while_it_is_replayed_is_not_stored(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        await site.client.logs(*BAD)
        await site.mend()
        ids = [item["id"] for item in (await site.listed())["items"]]
        node: Node = site.node
        letters = await node.dead_letters.events(node.project_id, ids)
        assert await node.dead_letters.delete(node.project_id, ids[:1], "ann") == 1
        (made,) = node.replayer(node.project_id)._read(letters, _pipelines(node), node.admission.limits, {})
        with pytest.raises(RetryableError, match="replayed or deleted"):
            await (await node.store.writer.submit(made)).committed()
        assert await site.count() == 0
        assert (await site.replay())["replayed"] == 5
        assert await site.count() == 5
        assert (await site.client.delete(f"/api/v1/dead-letters/{ids[0]}")).status_code == 404
        assert (await site.client.get("/api/v1/dead-letters/99999999999999999999")).status_code == 404


def _pipelines(node: Node) -> Any:
    from cordwood.core.runtime.replay import _Pipelines

    return _Pipelines(node.config, node.registry)


async def test_of_a_source_that_is_gone_it_says_so(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        await site.client.logs(*BAD)
        await site.node.store.pool.execute("update ingest_error set source = 'old', pipeline = 'older'")
        assert await site.replay() == {"replayed": 0, "failed": 6, "next_cursor": None}
        reason = (await site.listed())["items"][0]["reason"]
        assert reason == "replay: neither the source old nor the pipeline older is in the configuration"
        await site.node.store.pool.execute("update ingest_error set pipeline = 'web'")
        await site.mend()
        assert (await site.replay(pipeline="web"))["replayed"] == 6
        assert await site.count("source:old") == 6


async def test_a_deletion_takes_those_that_its_search_finds(open_site: Any) -> None:
    async with open_site(text(WRONG)) as site:
        await site.client.logs(*MIXED, {"message": "bad mail", "mail": "ada@example.org"})
        body = {"query": 'mail:ada@example.org or "bad 3"'}
        made = (await site.client.post("/api/v1/deletions", json=body)).json()
        with anyio.fail_after(60):
            while made["state"] == "running":
                await anyio.sleep(0.05)
                made = (await site.client.get(f"/api/v1/deletions/{made['id']}")).json()
        assert made["state"] == "done", made
        found = await site.listed()
        assert [item["message"] for item in found["items"]] == ["bad 5", "bad 4", "bad 2", "bad 1", "bad 0"]
        assert (found["count"], found["bytes"]) == (5, sum(item["bytes"] for item in found["items"]))
        assert await site.count() == 6
