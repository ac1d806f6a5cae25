"""What the hardware is worth: the CPU that Arrow's JSON reader alone takes for the same bytes in the same blocks."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pyarrow.json as pj

from .corpus import blocks


def read_json_seconds(path: Path) -> dict[str, float]:
    """CPU seconds of `pyarrow.json.read_json` over all blocks: on one thread, and with its own pool of threads.

    Reading the file is not counted. The events parsed are counted, so that nothing is left out.
    """
    seconds = {"one_thread": 0.0, "threads": 0.0}
    for block in blocks(path):
        for name, threads in (("one_thread", False), ("threads", True)):
            options = pj.ReadOptions(use_threads=threads, block_size=len(block) + 1)
            began = time.process_time()
            table = pj.read_json(io.BytesIO(block), read_options=options)
            seconds[name] += time.process_time() - began
            if table.num_rows != block.count(b"\n"):
                raise RuntimeError("Arrow read another number of events than there are lines")
    return seconds
