"""What a source hands over is let go once it is committed."""

from __future__ import annotations

import gc
from pathlib import Path

import polars as pl
import pytest
from cordwood.config import Settings, load_text
from cordwood.core.runtime import Node
from cordwood.plugins import Batch, Part, load_plugins

pytestmark = pytest.mark.anyio
REGISTRY = load_plugins()


async def test_committed_events_do_not_wait_for_the_garbage_collector(database_url: str, data_dir: Path) -> None:
    """Cycles kept seconds of what came in: 70 MiB with bodies of 4 MiB."""
    config = load_text("version: 1\nsources: {app: {type: http}}\n", REGISTRY)
    node = Node(Settings(data_dir=data_dir, database_url=database_url, role="ingest"), config, REGISTRY)
    async with node.running():
        outlet = node.sources["app"].outlet
        gc.collect()
        gc.disable()
        try:
            for n in range(5):
                batch = Batch.from_lines([f"line {n}"] * 3000)
                receipts = [await outlet.send(batch), *await outlet.send_parts(batch, [Part(1000, "k"), Part(2000)])]
                for receipt in receipts:
                    await receipt.committed()
            del batch, receipts, receipt
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            garbage = [type(one) for one in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert not {Batch, pl.DataFrame} & set(garbage)
