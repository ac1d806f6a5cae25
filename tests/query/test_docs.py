"""The pages on the language: every query of theirs runs, and the generated ones are those of the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, Tables
from cordwood.core.storage.embedded import EmbeddedPostgres

from .corpus import FOLDER
from .own_tables import filled
from .segments import TABLES, Segments, ask

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[2] / "docs"


def queries() -> Iterator[str]:
    """Of fenced blocks a line is a query; of tables what the last cell says."""
    for page, fence in (("language.md", "cordwood"), ("language-reference.md", "")):
        text = (DOCS / page).read_text(encoding="utf-8")
        for block in re.findall(rf"^```{fence}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield from block.splitlines()
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    for cell in re.findall(r"^\| `.*` \| `(.*)` \|$", text, re.MULTILINE):
        yield cell.replace(r"\|", "|")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    """The golden events, and one with what the examples ask for besides."""
    made = Segments(Path(tmp_path_factory.mktemp("docs")))
    made.commit([json.loads(line) for line in (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()])
    fields = {
        "http.status": 402,
        "weird name": "x",
        "span_id": "b1",
        "trace_id": "aa02",
        "payload": "{}",
        "amount": 1.5,
    }
    made.commit([fields | {"requests_total": 7, "n": 1, "user_agent": "curl", "host": "web-1", "message": "once more"}])
    return made


@pytest.fixture(scope="module")
async def engine(store: Segments, postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[QueryEngine]:
    async with filled(postgres, migrated) as pool:
        made = QueryEngine(store, store, threads=1, lookups=TABLES, tables=Tables(pool))
        yield made
        made.close()


def test_there_are_queries() -> None:
    assert len(list(queries())) > 100


@pytest.mark.parametrize("text", sorted(set(queries())))
async def test_a_query_of_the_pages_runs(text: str, store: Segments, engine: QueryEngine) -> None:
    result = await ask(store, text, engine, is_admin=True)
    assert all("sample" in text and warning.startswith("a sample of") for warning in result.warnings), text


def test_generated_pages_are_those_of_the_code() -> None:
    made = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
