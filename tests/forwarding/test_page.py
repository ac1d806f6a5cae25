"""The page of outputs: what it shows runs, and what it says to read the files with reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cordwood.core.forwarding.metrics import DECLARED

from ..objectstore import Bucket
from .conftest import Receiver, events_of, level, messages, until, write

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


async def test_what_the_page_shows_runs(
    open_node: Callable[..., Any],
    database_url: str,
    data_dir: Path,
    receiver: Receiver,
    bucket: Bucket,
    tmp_path: Path,
) -> None:
    (config,) = blocks("yaml")
    here = {
        "/srv": str(tmp_path), "every: 5m": "every: 100ms", "when:": "every: 100ms, when:",
        "bucket: logs": f"bucket: {bucket.name}\n    every: 100ms",
        "https://s3.example.com": bucket.url, "${S3_KEY_ID}": "test", "${S3_KEY}": "hush",
        "https://logs.example.com": receiver.url, "${CENTRE_TOKEN}": "none", "http://collector:4318": receiver.url,
    }  # fmt: skip
    for there, mine in here.items():
        assert there in config
        config = config.replace(there, mine)
    names = ("archive", "errors", "lake", "centre", "collector")
    async with receiver.on(), open_node(database_url, data_dir, config) as node:
        await until(lambda: level(node, *names))
        await write(
            node,
            [{"message": f"m{n}", "service": f"s{n % 2}", "level": "error" if n < 3 else "info"} for n in range(10)],
        )
        await until(lambda: level(node, *names))
        assert messages(await events_of(receiver.node)) == {f"m{n}": 2 for n in range(10)}  # by both ways
    counted, errors = (duckdb.sql(query.replace("/srv", str(tmp_path))).fetchall() for query in blocks("sql"))
    assert sorted(counted) == [("s0", 5), ("s1", 5)]
    assert sorted(errors) == [("m0",), ("m1",), ("m2",)]
    (name,) = bucket.keys()
    assert re.fullmatch(r"cordwood/\d{4}/\d\d/\d\d/\d{8}T\d{15}Z-1-1-lake\.parquet", name)


def test_the_page_names_each_type_and_metric() -> None:
    from cordwood.plugins import load_plugins

    types = [name for name, loaded in load_plugins().kinds["output"].items() if loaded.package == "cordwood"]
    assert [name for name in types if f"| `{name}` |" not in PAGE] == []
    assert [one.shown for one in DECLARED if f"`{one.shown}`" not in PAGE] == []
