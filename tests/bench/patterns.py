"""`python -m tests.bench.patterns LOGHUB`: lines a second on one core from messages to patterns, over Loghub's lines.

`LOGHUB` is the folder that has the eight systems. Run it with POLARS_MAX_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import polars as pl
from cordwood.plugins.patterns import MASK, PLACEHOLDER, clustered

_COPIES = 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.patterns", description=__doc__)
    parser.add_argument("loghub", type=Path)
    lines = [
        line
        for path in sorted(parser.parse_args().loghub.glob("*/*_2k.log"))
        for line in path.read_text(errors="replace").splitlines()
    ]
    messages = pl.Series("message", lines * _COPIES)
    began = time.perf_counter()
    masks = messages.str.replace_all(MASK, PLACEHOLDER)
    masked = time.perf_counter()
    distinct = masks.value_counts(sort=True)["message"].to_list()
    patterns = dict(zip(distinct, clustered(distinct), strict=True))
    counted = masks.replace_strict(patterns).n_unique()
    ended = time.perf_counter()
    figures = {
        "lines": len(messages),
        "masks": len(distinct),
        "patterns": counted,
        "lines_per_second_mask": round(len(messages) / (masked - began)),
        "lines_per_second": round(len(messages) / (ended - began)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
