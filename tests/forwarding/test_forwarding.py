"""Outputs over real nodes: everything arrives, a dead one stops nobody, and positions survive what moves segments."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cordwood.core.forwarding import progress_of

from .conftest import Receiver, events_of, level, messages, until, write

pytestmark = pytest.mark.anyio

RICH: list[dict[str, Any]] = [
    {"timestamp": "2026-01-31T12:00:00.123456789Z", "message": "card declined ü", "severity": "error",
     "service": "shop", "host": "web-1", "http.status": 402, "ok": False, "took": 0.25, "tags": ["a", 1, None],
     "big": 10**30, "user": "42", "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"},
    {"timestamp": "2026-01-30T12:00:00Z", "message": "user is a number here", "user": 42, "severity": "warn3"},
    {"message": "no time\nand two lines", "empty": "", "a b": "odd name", "ta\tb": 1},
    {"message": "nonsense", "timestamp": "yesterday"},
]  # fmt: skip


def files_of(folder: Path) -> list[dict[str, Any]]:
    """The events in an output's NDJSON files, in the order of the files' names."""
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.ndjson.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def without(events: list[dict[str, Any]], *names: str) -> list[str]:
    """Events to be compared, whatever their order."""
    return sorted(json.dumps({k: v for k, v in event.items() if k not in names}, sort_keys=True) for event in events)


async def test_what_arrives_is_what_is_stored(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, receiver: Receiver, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    config = f"""
outputs:
  centre: {{type: cordwood, url: "{receiver.url}", every: 100ms}}
  lines: {{type: file, folder: "{folder}/lines", format: ndjson, every: 100ms, start: beginning}}
  columns: {{type: file, folder: "{folder}/columns", every: 100ms, when: "severity>=warn"}}
"""
    async with receiver.on(), open_node(database_url, data_dir, config) as node:
        await until(lambda: level(node, "centre", "lines", "columns"))
        await write(node, RICH)
        await write(node, [{"message": f"more {n}", "n": n} for n in range(1000)])
        await until(lambda: level(node, "centre", "lines", "columns"))
        stored = await events_of(node)
        assert without(files_of(folder / "lines"), "observed_timestamp") == without(stored)
        # It came from another source there, and what is nonsense here is so there.
        assert without(await events_of(receiver.node), "source") == without(stored, "source")
        frame = pl.concat([pl.read_parquet(path) for path in sorted((folder / "columns").rglob("*.parquet"))])
        assert sorted(frame["message"]) == ["card declined ü", "user is a number here"]
        assert frame["severity"].to_list() == [15, 17]
        assert frame.schema["timestamp"] == pl.Datetime("ns", "UTC")
        assert frame["http.status"].to_list() == [None, 402]


async def test_otlp_arrives(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, receiver: Receiver
) -> None:
    config = f'outputs: {{collector: {{type: otlp, url: "{receiver.url}", every: 100ms}}}}'
    async with receiver.on(), open_node(database_url, data_dir, config) as node:
        await until(lambda: level(node, "collector"))
        await write(node, RICH[:3])
        await until(lambda: level(node, "collector"))
        left_out = ("source", "observed_timestamp", "cordwood.source", "severity_text", "parse_error", "big")
        assert without(await events_of(receiver.node), *left_out) == without(await events_of(node), *left_out)
        sources = {event["cordwood.source"] for event in await events_of(receiver.node)}
        assert sources == {"load"}


async def test_a_dead_output_stops_nobody_and_goes_on_where_it_was(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, receiver: Receiver, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    config = f"""
outputs:
  centre: {{type: cordwood, url: "{receiver.url}", every: 100ms, max_events: 500, start: beginning}}
  collector: {{type: otlp, url: "{receiver.url}", every: 100ms, start: beginning, when: "message:none"}}
  lines: {{type: file, folder: "{folder}", format: ndjson, every: 100ms, start: beginning}}
"""
    sent = Counter[str]()

    async def some(node: Any, first: int) -> None:
        for start in range(first, first + 1000, 50):
            records = [{"message": f"event {n}", "even": n % 2 == 0} for n in range(start, start + 50)]
            await write(node, records)
            sent.update(record["message"] for record in records)

    async with open_node(database_url, data_dir, config) as node:
        await some(node, 0)
        await until(lambda: level(node, "lines", "collector"))
        assert messages(files_of(folder)) == sent
        found = (await progress_of(node.store.pool, 1))["centre"]
        assert (found.state, found.events, found.position) == ("waiting", 0, 0)
        assert "no connection" in (found.error or "")
        assert found.commits > 0
        assert found.seconds > 0
        # Meanwhile segments are merged, and some events are deleted for good.
        await node.store.compactor.compact(1)
        assert node.metrics.get_sample_value("cordwood_output_up", {"output": "centre", "type": "cordwood"}) == 0
    async with open_node(database_url, data_dir, config) as node, receiver.on():
        await some(node, 1000)
        await until(lambda: level(node, "centre", "lines", "collector"))
        assert messages(await events_of(receiver.node)) == sent
        assert messages(files_of(folder)) == sent
        await node.store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
        await some(node, 2000)
        await until(lambda: level(node, "centre", "lines", "collector"))
        assert messages(await events_of(receiver.node)) == sent
        labels = {"output": "centre", "type": "cordwood"}
        assert node.metrics.get_sample_value("cordwood_output_up", labels) == 1
        assert node.metrics.get_sample_value("cordwood_output_events_total", labels) == 3000


async def test_a_reload_changes_outputs(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, tmp_path: Path
) -> None:
    from .conftest import config_of

    def lines(name: str) -> str:
        return f'outputs: {{{name}: {{type: file, folder: "{tmp_path}/{name}", format: ndjson, every: 100ms}}}}'

    async with open_node(database_url, data_dir, lines("a")) as node:
        await until(lambda: level(node, "a"))
        await write(node, [{"message": "one"}])
        await until(lambda: level(node, "a"))
        node.forwarding.reload(config_of(lines("b")))
        await until(lambda: level(node, "b"))
        await write(node, [{"message": "two"}])
        await until(lambda: level(node, "b"))
        node.forwarding.reload(config_of(lines("a")))  # one that comes back goes on where it was
        await until(lambda: level(node, "a"))
    assert messages(files_of(tmp_path / "a")) == Counter(["one", "two"])
    assert messages(files_of(tmp_path / "b")) == Counter(["two"])
