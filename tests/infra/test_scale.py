"""`make scale` in small: the same measurements on a real PostgreSQL, and the page that holds the large one's tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from cordwood.core.storage.store import Store

from ..bench.scale import BEGIN, END, PAGE, measured, report, written

pytestmark = pytest.mark.anyio


async def test_the_measurements(database_url: str, data_dir: Path, tmp_path: Path) -> None:
    async with Store.opened(data_dir, database_url, compact=False) as store:
        costs = await measured(store.pool, tmp_path, events=2_000, sizes=[200, 1_000], seconds=0.2)
        assert await store.pool.fetchval("select count(*) from segment where place = 's3'") == 1_000
        commits = await store.pool.fetchval("select sum(head) from segment_log")
        assert commits == await store.pool.fetchval("select count(*) from segment where level = 0") > 0
    assert 150 < costs.event_bytes < 300
    assert 0.05 < costs.segment_share < 1
    assert 500 < costs.catalog_row_bytes < 20_000
    assert costs.found_segments.keys() == costs.found_ms.keys() == {200, 1_000}
    assert all(0 < found < 20 for found in costs.found_segments.values())  # the index's range, not the whole catalog
    assert all(rate > 1 for rate in costs.commits_per_s.values())
    made = report(costs)
    assert "| 1 PB |" in made
    assert "| 10,000 |" in made
    page = written(PAGE.read_text(), made)
    assert made in page
    assert written(page, made) == page


def test_the_page_has_the_tables_and_nothing_else_between_the_markers() -> None:
    inside = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    for line in ("| a terabyte of events costs | |", "| 1 PB |", "| 200,000 |", "| 16 projects, one commit each |"):
        assert line in inside
    with pytest.raises(ValueError, match=r"docs/scale\.md lacks the line"):
        written("# Growing", "")
