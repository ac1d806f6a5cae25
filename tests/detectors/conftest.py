"""A detector's look at events that were committed to a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.alerting.run import Events, Run
from cordwood.core.query import QueryEngine
from cordwood.core.query.saved_store import SavedQueries
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, Detector, Finding

SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND  # 2026-01-31T12:00:00Z


class Judge:
    """Runs a detector, called `errors`, over events that were committed."""

    def __init__(self, store: Store, engine: QueryEngine) -> None:
        self.store, self.engine = store, engine

    async def commit(self, *events: dict[str, Any]) -> None:
        made = [{"severity": "error", "timestamp": T0 - SECOND} | event for event in events]
        receipt = await self.store.writer.submit(Submission(1, "test", Batch.from_records(made)))
        await receipt.committed()

    async def found(self, detector: Detector[Any], at_ns: int = T0) -> list[Finding]:
        return await detector.detect(await self.look("errors", at_ns))

    async def look(self, name: str, at_ns: int, learned: bytes | None = None, of: type[Run] = Run) -> Run:
        return of(name, at_ns, await self.events(), await self.engine.resolver(1), learned)

    async def events(self) -> Events:
        return Events(self.engine, 1, await self.store.catalog.head(1))

    async def samples(self, finding: Finding) -> list[str]:
        found = await (await self.events()).samples(finding, from_ns=T0 - 300 * SECOND, to_ns=T0)
        return [event["message"] for event in found]


@pytest.fixture
async def judge(database_url: str, data_dir: Path) -> AsyncIterator[Judge]:
    async with Store.opened(data_dir, database_url, compact=False) as store:
        engine = QueryEngine(
            catalog=store.catalog,
            cache=store.cache,
            memory_limit="512MiB",
            threads=1,
            spill=data_dir / "spill",
            saved=SavedQueries(store.pool),
        )
        yield Judge(store, engine)
