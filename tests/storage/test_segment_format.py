"""`docs/segment-format.md` suffices: its own code, and nothing of ours, reads a segment."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.storage.compaction import merge
from cordwood.core.storage.encode import encode
from cordwood.core.storage.segment import Segment
from cordwood.plugins.batch import Batch

PAGE = Path(__file__).parents[2] / "docs" / "segment-format.md"
RECORDS: list[dict[str, Any]] = [
    {"timestamp": "2026-01-31T12:00:00.123456789Z", "severity": "ERROR", "message": "took 12ms", "n": 1},
    {"timestamp": "2026-01-31T11:00:00Z", "service": "a", "message": "Ärger ☃", "n": "1", "odd name": [1, {"x": None}]},
    {"timestamp": "2026-01-31T10:00:00Z", "service": "b", "message": "took 9ms", "N": 2.5, "ok": True},
]


def reader() -> Callable[[Path], list[dict[str, Any]]]:
    """The function that the page gives."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[[Path], list[dict[str, Any]]] = names["events"]
    return found


def written(folder: Path, *, merged: bool) -> Path:
    encoded = encode([Batch.from_records(RECORDS, observed=1)])
    path = folder / "1.parquet"
    path.write_bytes(encoded.data)
    if merged:
        known = encoded.columns, encoded.services, encoded.hosts, encoded.severities
        segment = Segment(1, 1, encoded.day, encoded.min_time, encoded.max_time, encoded.rows, 0, 0, 7, 7, *known)
        (encoded,) = merge([segment], {1: path}, filtered_rows=1)
        path.write_bytes(encoded.data)
    return path


@pytest.mark.parametrize("merged", [False, True])
def test_the_page_reads_every_event(data_dir: Path, *, merged: bool) -> None:
    found = sorted(reader()(written(data_dir, merged=merged)), key=lambda event: event["timestamp"])
    assert [event["timestamp"] for event in found] == [
        1769853600000000000, 1769857200000000000, 1769860800123456789,
    ]  # fmt: skip
    assert [event["message"] for event in found] == ["took 9ms", "Ärger ☃", "took 12ms"]
    assert [event.get("n") for event in found] == [None, "1", 1]
    assert found[0]["N"] == 2.5
    assert found[0]["ok"] is True
    assert found[1]["odd name"] == [1, {"x": None}]
    assert found[2]["severity"] == 17
    if merged:
        assert [event["_position"] for event in found] == [7, 7, 7]
        assert [event.get("service") for event in reader()(data_dir / "1.parquet")] == [None, "a", "b"]


def test_the_page_tells_where_the_filter_lies(data_dir: Path) -> None:
    data = written(data_dir, merged=True).read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    groups, rows, bloom, version, magic = struct.unpack("<IIII4s", data[footer - 20 : footer])
    assert (groups, rows, version, magic) == (1, 32_768, 1, b"CWTF")
    grams = data[footer - 20 - bloom - 8000 : footer - 20 - bloom]

    def has(text: str) -> bool:
        a, b, c = (int(letter) if letter.isdigit() else ord(letter) - ord("a") + 10 for letter in text)
        bit = a * 1600 + b * 40 + c
        return bool(grams[bit // 8] >> bit % 8 & 1)

    assert has("12m")
    assert has("2ms")
    assert has("9ms")
    assert not has("too")
