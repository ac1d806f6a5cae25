"""`python -m tests.bench.patterns LOGHUB`: messages to patterns on one core, and how right they are, beside drain3.

`LOGHUB` is the folder that has the eight systems. Lines a second are of CPU time, which others at work change little:
of all systems' raw lines, by the way of a column in memory (polars, as `storm` goes) and by that of a query (DuckDB, as
`patterns` goes), each with the comparison of the masks. Accuracy is the grouping accuracy of the messages, one setting
for all systems.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is there

import duckdb
import polars as pl
from cordwood.core.query import sql
from cordwood.core.query.shaped import masked
from cordwood.plugins.patterns import MASK, PLACEHOLDER, clustered

from tests.plugins.test_patterns import accuracy, content, drained, patterns_of
from tests.test_real_logs import SYSTEMS

_COPIES = 60


def in_memory(messages: pl.Series) -> int:
    """How many patterns there are."""
    masks = messages.str.replace_all(MASK, PLACEHOLDER)
    distinct = masks.value_counts(sort=True)["message"].to_list()
    patterns = dict(zip(distinct, clustered(distinct), strict=True))
    return masks.replace_strict(patterns).n_unique()


def by_query(connection: duckdb.DuckDBPyConnection) -> int:
    """As many, by the expression that the stage `patterns` has."""
    mask = masked(sql.column("message")).sql(dialect=sql.DIALECT)
    found = connection.execute(f"SELECT {mask}, count(*) FROM lines GROUP BY 1 ORDER BY 2 DESC").fetchall()
    return len(set(clustered([row[0] for row in found])))


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of this process, and what came of it."""
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.patterns", description=__doc__)
    parser.add_argument("loghub", type=Path)
    loghub = parser.parse_args().loghub
    load = os.getloadavg()[0]
    own = [path.read_text(errors="replace").splitlines() for path in sorted(loghub.glob("*/*_2k.log"))]
    lines = [line for some in own for line in some]
    messages = pl.Series("message", lines * _COPIES)
    connection = duckdb.connect(config={"threads": 1})
    connection.register("given", messages.to_frame().to_arrow())
    connection.execute("CREATE TABLE lines AS SELECT * FROM given")
    memory_s, patterns = timed(lambda: in_memory(messages))
    query_s, found = timed(lambda: by_query(connection))
    drain_s, _ = timed(lambda: drained(lines))
    assert patterns == found, f"{patterns} patterns in memory, {found} by query"
    right = {}
    print(f"{'system':10} {'patterns':>9} {'drain3':>9}")
    for system in SYSTEMS:
        told, truth = content(loghub, system)
        right[system] = accuracy(patterns_of(told), truth), accuracy(drained(told), truth)
        print(f"{system:10} {right[system][0]:9.4f} {right[system][1]:9.4f}")
    mean = [sum(column) / len(SYSTEMS) for column in zip(*right.values(), strict=True)]
    print(f"{'mean':10} {mean[0]:9.4f} {mean[1]:9.4f}")
    figures = {
        "load_before": load,
        "lines": len(messages),
        "patterns": patterns,
        "lines_per_cpu_second_in_memory": round(len(messages) / memory_s),
        "lines_per_cpu_second_by_query": round(len(messages) / query_s),
        "lines_per_cpu_second_drain3": round(2 * len(lines) / drain_s),  # it sees each line twice: see `drained`
        "grouping_accuracy": {system: [round(one, 4) for one in both] for system, both in right.items()},
        "grouping_accuracy_mean": [round(one, 4) for one in mean],
    }
    json.dump(figures, sys.stdout)
    print()


if __name__ == "__main__":
    main()
