"""`lookups/`: a file that says what a table is, and its rows beside it as CSV."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
import polars as pl

from ...client import AsyncClient
from ...config.tree import Element
from ...core.query.lookup_files import MOST_BYTES, encoded, frame_of, kind_of
from ...plugins import RejectedError
from .files import of_file, said, to_yaml
from .kind import Kind, There

_PATH: Final = "/api/v1/lookups"
_TYPES: Final[Mapping[str, Any]] = MappingProxyType(
    {"text": pl.String, "int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean, "time": pl.Datetime("ns")}
)


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a table."""

    name: str
    kind: Literal["text", "int", "float", "bool", "time"]


class LookupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table as its file says it. Without columns their kinds follow from the values, as in an upload of CSV."""

    name: str
    data: str
    columns: list[Column] = []


class Table(msgspec.Struct, frozen=True):
    """A table with its rows."""

    name: str
    frame: pl.DataFrame


class Lookups(Kind[Table]):
    """See `Kind`."""

    folder = "lookups"
    form = Table

    async def there(self, client: AsyncClient) -> dict[str, There[Table]]:
        """See `Kind`."""
        found = {}
        async for item in client.items(_PATH):
            path = f"{_PATH}/{quote(item['name'], safe='')}"
            data = (await client.call("GET", f"{path}/data")).content
            columns = [Column(column["name"], column["kind"]) for column in item["columns"]]
            found[item["name"]] = There(Table(item["name"], _frame(data, columns)), path, {})
        return found

    async def create(self, client: AsyncClient, wanted: Table) -> None:
        """See `Kind`."""
        await client.call("PUT", f"{_PATH}/{quote(wanted.name, safe='')}", content=encoded(wanted.frame))

    async def change(self, client: AsyncClient, wanted: Table, old: There[Table]) -> None:
        """See `Kind`: it is a new version."""
        await self.create(client, wanted)

    def same(self, one: Table, other: Table) -> bool:
        """See `Kind`."""
        return one.frame.schema == other.frame.schema and one.frame.equals(other.frame)

    def load(self, element: Element, path: Path) -> Table:
        """See `Kind`. The data lies in the same folder."""
        says = of_file(LookupFile, element)
        data = element.items["data"]
        if "/" in says.data or "\\" in says.data or says.data.startswith("."):
            raise data.place.error("data: must be the name of a file beside this one", f"such as {path.stem}.csv")
        file = path.parent / says.data
        try:
            if file.stat().st_size > MOST_BYTES:
                raise data.place.error(f"data: {file} is too large", f"use at most {MOST_BYTES:,} bytes")
            rows = file.read_bytes()
            return Table(says.name, _frame(rows, says.columns) if says.columns else frame_of(rows))
        except OSError as why:
            raise data.place.error(f"data: {file} cannot be read: {why.strerror}") from None
        except (pl.exceptions.PolarsError, RejectedError, ValueError) as why:
            reason = str(why).partition("\n")[0][:200]
            raise data.place.error(f"data: {file} is no such table: {reason}") from None

    def files(self, says: Table, stem: str) -> dict[str, bytes]:
        """See `Kind`."""
        about = LookupFile(says.name, f"{stem}.csv", _columns(says.frame))
        return {f"{stem}.yaml": to_yaml(said(about)).encode(), f"{stem}.csv": _csv(says.frame)}

    def shown(self, says: Table) -> str:
        """See `Kind`."""
        return to_yaml(said(_columns(says.frame))) + _csv(says.frame).decode()


def _columns(frame: pl.DataFrame) -> list[Column]:
    return [msgspec.convert({"name": name, "kind": kind_of(dtype)}, Column) for name, dtype in frame.schema.items()]


def _csv(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_csv(buffer)
    return buffer.getvalue()


def _frame(data: bytes, columns: list[Column]) -> pl.DataFrame:
    """The rows, each column of its kind.

    :raises PolarsError: a value is not of its column's kind
    :raises ValueError: the file has other columns
    """
    frame = pl.read_csv(data, infer_schema=False)
    names = [column.name for column in columns]
    if frame.columns != names:
        raise ValueError(f"its header is {', '.join(frame.columns)}, and columns has {', '.join(names)}")
    return frame.select(_cast(column) for column in columns)


def _cast(column: Column) -> pl.Expr:
    found = pl.col(column.name)
    match column.kind:
        case "bool":
            return found.replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
        case "time":
            return found.str.to_datetime(time_unit="ns")
    return found.cast(_TYPES[column.kind])
