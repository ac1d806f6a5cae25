"""Completion: what is offered at a cursor, and that what is offered can stand there."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, QueryRequest, parse
from cordwood.core.query.complete import Completions
from cordwood.core.query.stages import load_stages
from cordwood.plugins.errors import QueryError

from .corpus import FOLDER, all_cases
from .segments import NOW, Segments

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryEngine]:
    store = Segments(Path(tmp_path_factory.mktemp("complete")))
    store.commit([json.loads(line) for line in (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()])
    made = QueryEngine(store, store, threads=1)
    yield made
    made.close()


async def at_end(engine: QueryEngine, text: str, cursor: int | None = None) -> Completions:
    request = QueryRequest(text=text, project_id=1, now_ns=NOW)
    return await engine.complete(request, len(text) if cursor is None else cursor)


OFFERED = {
    "ser": {"service:"},
    "service:": {"api", "checkout", "web"},
    "service:ch": {"checkout"},
    'service:"CH': {'"checkout"'},
    "service:web st": {"status:", "Status:"},
    "service:web a": {"and "},
    "service:web `wei": {"`weird field`:"},
    "wei": {"`weird field`:"},
    "`weird field`:": {'"x`y"'},
    "severity>=w": {"warn"},
    "level:": {"trace", "debug", "info", "warn", "error", "fatal"},
    "status:4": {"402"},
    "path:": {'"/api/v1/cart"', '"/api/v2/cart"', '"/search"'},
    "| sta": {"stats "},
    "| stats coun": {"count(", "countif("},
    "| stats count() b": {"by "},
    "| stats count() as n by service | sort n": {"int("},
    "| stats count() as total by service | sort to": {"total"},
    "| stats count() as total by service | where took": set(),
    "| where service = ": {'"api"', '"checkout"', '"web"'},
    "| where status = 4": {"402"},
    "| where cached = f": {"false"},
    "| timechart span": {"span=", "span_id"},
    "| dedup host k": {"keep="},
    "| session by user g": {"gap="},
    "| union (service:ch": {"checkout"},
    "| union (ser": {"service:"},
    "| union (| sta": {"stats "},
    "| join k": {"kind="},
    "| join kind=l": {"left "},
    "| join service (| stats count() as total by service | sort to": {"total"},
    "| union (service:web) | stats count() by ser": {"service"},
    '"a ser': set(),
    ") ser": set(),
    "| nonsense ser": set(),
}


@pytest.mark.parametrize("text", OFFERED)
async def test_what_is_offered(engine: QueryEngine, text: str) -> None:
    found = await at_end(engine, text)
    texts = {item.text for item in found.items}
    if not OFFERED[text]:
        assert not {item.text for item in found.items if item.kind != "function"}, text
    assert OFFERED[text] - {"span_id"} <= texts
    assert text[found.start : found.end] == text[found.start :]


async def test_every_stage_is_offered_after_a_pipe(engine: QueryEngine) -> None:
    found = await at_end(engine, "service:web | ")
    assert {item.text for item in found.items} == {f"{name} " for name in load_stages()}
    assert all(item.about for item in found.items)


async def test_the_cursor_may_be_in_the_middle(engine: QueryEngine) -> None:
    text = "service:ch | stats count()"
    found = await at_end(engine, text, len("service:ch"))
    assert [item.text for item in found.items] == ["checkout"]
    assert (found.start, found.end) == (8, 10)


async def test_what_is_offered_can_stand_there(engine: QueryEngine) -> None:
    """Put in place and parsed: an error, if there is one, is further on than what was put in."""
    source, wrong = random.Random(7), []
    queries = [case.query for case in all_cases() if "error" not in case.sections]
    for text in source.sample(queries, 60):
        cursor = source.randrange(len(text) + 1)
        found = await at_end(engine, text, cursor)
        for item in found.items[:8]:
            whole = text[: found.start] + item.text.rstrip()
            try:
                parse(whole)
            except QueryError as error:
                last = whole.rpartition("\n")[2]
                if error.line <= whole.count("\n") or error.column <= len(last) - len(item.text.rstrip()):
                    wrong.append((whole, str(error)))
    assert not wrong


async def test_a_thousand_fields_are_offered_quickly(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.commit([{"timestamp": NOW, "message": "x", **{f"field.{n}": n for n in range(2000)}}])
    engine = QueryEngine(store, store, threads=1)
    began, taken = time.process_time(), 20
    for _ in range(taken):
        found = await at_end(engine, "| stats count() by field.19")
    assert len(found.items) == 100
    engine.close()
    print(f"{1000 * (time.process_time() - began) / taken:.1f} ms of CPU for each of {taken}")
