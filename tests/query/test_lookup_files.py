"""Uploads of lookup tables: which kinds columns get, and what is refused."""

from __future__ import annotations

import datetime
import io

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cordwood.core.query import lookup_files
from cordwood.core.query.lookup_files import encoded, frame_of, kind_of
from cordwood.plugins.errors import RejectedError


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", ""], "int"), (["1", "2.5"], "float"), (["007", "8"], "text"), (["true", "false"], "bool"),
        (["1e5"], "text"), (["12345678901234567890"], "text"), (["a", "1"], "text"), (["", ""], "text"),
        ([], "text"), (["-0"], "text"), (["NaN"], "text"), (["it's \"\"quoted\"\""], "text"),
    ],
    ids=str,
)  # fmt: skip
def test_kinds_of_csv_columns(values: list[str], kind: str) -> None:
    lines = "".join(f'"{value}",x\n' if value else ",x\n" for value in values)
    frame = frame_of(f"a,b\n{lines}".encode())
    assert (kind_of(frame.schema["a"]), frame.height) == (kind, len(values))
    again = pl.read_parquet(io.BytesIO(encoded(frame)))
    assert again.equals(frame)
    shown = ["" if value is None else str(value) for value in frame["a"].to_list()]
    assert [text.lower() for text in shown] == [
        (str(float(value)) if kind == "float" and value else value).replace('""', '"').lower() for value in values
    ]


def test_kinds_of_parquet_columns() -> None:
    day = datetime.date(2026, 1, 31)
    table = pa.table({"n": pa.array([1], pa.int16()), "f": pa.array([1.5], pa.float32()), "d": [day], "l": [[1, 2]],
                      "u": pa.array([2**63], pa.uint64()), "b": [True], 'it"s': ["x"]})  # fmt: skip
    frame = frame_of(parquet(table))
    kinds = {name: kind_of(dtype) for name, dtype in frame.schema.items()}
    assert kinds == {"n": "int", "f": "float", "d": "time", "l": "text", "u": "text", "b": "bool", 'it"s': "text"}
    assert frame.row(0)[3:] == ("[1, 2]", "9223372036854775808", True, "x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no CSV table"),
        (b"a,b\n1,2,3\n", "no CSV table"),
        (b"a\n\xff\xfe\n", "no CSV table"),
        (b"PAR1 and nothing more", "no Parquet table"),
        (b",b\n1,2\n", "is no name for a column"),
        (b"x" * 300 + b"\n1\n", "is no name for a column"),
        (",".join(f"c{i}" for i in range(101)).encode(), "101 columns"),
        (parquet(pa.table({"a": pa.DictionaryArray.from_arrays([0] * 900, ["x" * 100_000])})), "is too large"),
        (parquet(pa.table({"a": pa.nulls(1_000_001, pa.int8())})), "is too large"),
    ],
    ids=["empty", "ragged", "no UTF-8", "no Parquet", "no name", "long name", "wide", "much text", "long"],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RejectedError, match=message):
        frame_of(data)


def test_a_long_csv_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_files, "MOST_ROWS", 10)
    assert frame_of(b"a\n" + b"1\n" * 10).height == 10
    with pytest.raises(RejectedError, match="more than 10 rows"):
        frame_of(b"a\n" + b"1\n" * 11)
