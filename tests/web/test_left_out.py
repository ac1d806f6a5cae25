"""Events that a pipeline means not to be stored: acknowledged, counted, not there; and none beside them is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cordwood.config import Settings, load_text
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime.pipeline import RunningPipeline
from cordwood.plugins import Batch, RejectedError, load_plugins
from cordwood.web import create_app

pytestmark = pytest.mark.anyio
CONFIG = """
version: 1
sources:
  app: {type: http}
pipelines:
  web:
    from: [app]
    parse:
      - {type: drop, when: "path=/healthz"}
      - {type: regex, pattern: '^(?P<word>good|noise) (?P<n>[0-9]+)$', types: {n: int}, on_error: dead_letter}
      - {type: drop, when: "word:noise"}
"""
EVENTS = [
    {"message": "good 1", "path": "/"}, {"message": "good 2", "path": "/healthz"}, {"message": "noise 3"},
    {"message": "broken"}, {"message": "good 4"},
]  # fmt: skip


def pipeline(parse: str = "") -> RunningPipeline:
    registry = load_plugins()
    text = CONFIG if not parse else CONFIG[: CONFIG.index("    parse:")] + f"    parse: {parse}\n"
    return RunningPipeline(load_text(text, registry).pipelines["web"], registry)


def test_steps_leave_out_and_others_dead_letter() -> None:
    outcome = pipeline().run(Batch.from_records(EVENTS), "app")
    assert outcome.batch.frame["message"].to_list() == ["good 1", "good 4"]
    assert outcome.kept is not None
    assert (outcome.kept.to_list(), outcome.left_out) == ([0, 4], 2)
    (fallen,) = outcome.fallen
    assert fallen.rows.to_list() == [3]


def test_a_sample_has_its_share_with_it() -> None:
    batch = Batch.from_records([{"message": f"m{n}", "level": "error" if n % 4 else "info"} for n in range(400)])
    outcome = pipeline('[{type: sample, share: 0.2, when: "severity<warn"}]').run(batch, "app")
    kept = outcome.batch.frame
    assert (kept["severity"] == 17).sum() == 300
    assert 5 < (kept["severity"] == 9).sum() < 40
    assert kept.filter(pl.col("severity") == 9)["sample.share"].unique().to_list() == [0.2]
    assert kept.filter(pl.col("severity") == 17)["sample.share"].null_count() == 300


def test_a_try_shows_what_is_left_after_each_step() -> None:
    batches = pipeline().traced(Batch.from_records(EVENTS), "app")
    assert [len(batch) for batch in batches] == [5, 4, 4, 3, 3]


def test_a_request_cannot_leave_out() -> None:
    with pytest.raises(RejectedError, match="drop leaves events out, which only a step of a pipeline file may"):
        pipeline().run(Batch.from_lines(["x"]), "app", {"type": "drop"})


async def test_what_is_left_out_is_acknowledged_and_counted(
    database_url: str, data_dir: Path, client_of: Callable[..., Any]
) -> None:
    file, registry = data_dir / "cordwood.yaml", load_plugins()
    file.write_text(CONFIG)
    node = Node(
        Settings(data_dir=data_dir, database_url=database_url, config=file), load_checked(file, registry), registry
    )
    async with node.running(), client_of(create_app(node)) as client:
        assert await client.logs(*EVENTS) == 5
        assert await client.logs({"message": "x", "path": "/healthz"}) == 1
        for _ in range(2):
            assert await client.logs({"message": "y", "path": "/healthz"}, **{"Idempotency-Key": "once"}) == 1
        rows = await client.rows("* | sort n | fields message, n")
        assert rows == [{"message": "good 1", "n": 1}, {"message": "good 4", "n": 4}]
        metrics = (await client.get("/metrics")).text
        assert 'cordwood_source_left_out_events_total{source="app",type="http"} 5.0' in metrics
        assert 'cordwood_source_dead_letters_total{source="app",type="http"} 1.0' in metrics
