"""Answers of a store, for tests of what it keeps."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from cordwood.core.query import QueryEngine, QueryRequest, QueryResult
from cordwood.core.storage.cache import SegmentCache
from cordwood.core.storage.store import Store
from cordwood.plugins import now_ns

SUM = "* | stats sum(n) as s, count(n) as c"


async def ask(store: Store, text: str) -> QueryResult:
    """The answer of a query over everything."""
    return await _ask(store, store.cache, text)


async def ask_cold(store: Store, text: str) -> QueryResult:
    """An answer that needs the bytes of all segments, by a cache that has none."""
    with TemporaryDirectory() as cold:
        return await _ask(store, SegmentCache(store.files, Path(cold), max_bytes=1 << 30), text)


async def _ask(store: Store, cache: SegmentCache, text: str) -> QueryResult:
    engine = QueryEngine(store.catalog, cache, threads=1, memory_limit="200MB")
    try:
        return await engine.run(QueryRequest(text=text, project_id=1, now_ns=now_ns()))
    finally:
        engine.close()
