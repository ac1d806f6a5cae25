"""The same bytes are never read twice from PostgreSQL: counted where they leave it."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.storage.cache import SegmentCache
from cordwood.core.storage.commit import Submission
from cordwood.plugins import Batch, now_ns

from .proxy import behind_proxy

pytestmark = pytest.mark.anyio

SEGMENTS = 6
QUERIES = ("* | stats count(n)", "* | stats max(n)", "noise*", "n>5 | stats count()", "* | stats distinct(message)")


async def test_many_queries_at_once_on_a_cold_cache_and_after_a_restart(
    database_url: str, data_dir: Path, tmp_path: Path
) -> None:
    noise = random.Random(3)
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        for n in range(SEGMENTS):
            made = Batch.from_records(
                [{"message": f"noise {noise.randbytes(100).hex()}", "n": n} for _ in range(1_000)]
            )
            await (await store.writer.submit(Submission(1, "s", made))).committed()
        segments = await store.catalog.segments(1)
        kept = sum(segment.bytes for segment in segments)

        async def asked(cache: SegmentCache) -> int:
            """Bytes from PostgreSQL while all queries ran at the same time, twice."""
            before = proxy.answered
            engine = QueryEngine(store.catalog, cache, threads=1, memory_limit="200MB")
            try:
                async with anyio.create_task_group() as tasks:
                    for text in QUERIES * 2:
                        tasks.start_soon(engine.run, QueryRequest(text=text, project_id=1, now_ns=now_ns()))
            finally:
                engine.close()
            return proxy.answered - before

        cold = await asked(SegmentCache(store.files, tmp_path, max_bytes=1 << 30))
        again = await asked(SegmentCache(store.files, tmp_path, max_bytes=1 << 30))  # as another process would
    assert len(segments) == SEGMENTS
    assert kept > SEGMENTS * 100_000
    assert kept <= cold < kept * 1.25
    assert again < kept * 0.1
