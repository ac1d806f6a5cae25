"""A node that does nothing but record, with a clock that runs faster than the world's: it is raced and killed.

    python recording.py DATABASE_URL DATA_DIR BEGIN SPEED

BEGIN is the second of the world at which its clock shows T0. The clock stops at the end.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import anyio
from cordwood.config import Config, RecordingSettings
from cordwood.core.query import QueryEngine
from cordwood.core.query.saved_store import SavedQueries
from cordwood.core.recordings import RecordingService
from cordwood.core.storage.store import Store

T0 = 1769860800 * 10**9  # 2026-01-31T12:00:00Z
STEP_S, HOURS = 10, 2
END = T0 + HOURS * 3600 * 10**9
BY_SERVICE = "severity>=error | stats count() as n by service"
RECORDINGS = {
    "errors": {"query": BY_SERVICE, "kind": "counter", "every": f"{STEP_S}s", "grace": "10s"},
    "all": {"query": "| stats count() as n", "kind": "counter", "every": f"{STEP_S}s", "grace": "10s"},
    "none": {"query": "nothing | stats count() as n", "every": f"{STEP_S}s", "grace": "10s"},
}


async def main(database_url: str, data_dir: Path, begin: float, speed: float) -> None:
    """Record until killed."""
    config = Config(recordings={name: RecordingSettings.model_validate(one) for name, one in RECORDINGS.items()})
    async with Store.opened(data_dir, database_url, compact=False) as store:
        engine = QueryEngine(
            catalog=store.catalog,
            cache=store.cache,
            memory_limit="256MiB",
            threads=1,
            spill=data_dir / "spill",
            saved=SavedQueries(store.pool),
        )
        service = RecordingService(
            store, engine, 1, config, clock=lambda: min(END, T0 + int((time.time() - begin) * speed * 1e9))
        )
        await service.run()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
