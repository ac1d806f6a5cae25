"""How ClickHouse gets at segments: those in a bucket it reads itself, the others go along with the query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from ...plugins.base import SharedObject
from . import sql
from .clickhouse import DIALECT, TYPES, Read, call, clickhouse
from .sql import Expr
from .value import SQL_TYPES

MOST_TOGETHER = 1000  # objects that one pattern names
ARROW: Mapping[str, Any] = {
    "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "VARCHAR": pa.string(),
    "TIMESTAMP_NS": pa.timestamp("ns", "UTC"), "UTINYINT": pa.uint8(),
}  # fmt: skip
FILE, ROW = "_file_number", "_row_in_file"  # columns of a table that goes along


@dataclass(frozen=True)
class Along:
    """A table that is sent with the query: these columns of these files, each with its number among those read."""

    name: str
    files: tuple[tuple[int, str], ...]
    columns: tuple[str, ...]


@dataclass
class Reads:
    """A reader for `plan_clickhouse`; afterwards it has what must be sent along.

    :param kinds: physical column → kind, of all segments.
    :param objects: file → where ClickHouse reads it; those that are not here go along.
    """

    kinds: Mapping[str, str]
    objects: Mapping[str, SharedObject]
    cluster: str = ""
    along: list[Along] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    """Parameters of the statement that may be shown to nobody."""

    def __call__(self, files: Sequence[str], columns: Sequence[str]) -> Iterable[Read]:
        """The objects of each folder as one table, and the rest as one more."""
        own: list[tuple[int, str]] = []
        folders: dict[tuple[str, SharedObject], list[tuple[int, str]]] = {}
        for number, file in enumerate(files):
            if (found := self.objects.get(file)) is None:
                own.append((number, file))
            else:
                folder, _, name = found.url.rpartition("/")
                key = SharedObject(folder, found.access_key_id, found.secret_access_key, found.session_token)
                folders.setdefault((folder, key), []).append((number, name))
        for (folder, key), named in folders.items():
            for part in batched_list(named):
                yield self._objects(folder, key, part, columns)
        if own:
            self.along.append(Along(f"along_{len(self.along) + 1}", tuple(own), tuple(columns)))
            yield Read(
                exp.to_identifier(self.along[-1].name), clickhouse(f"toInt64({FILE})"), clickhouse(f"toInt64({ROW})")
            )

    def _objects(
        self, folder: str, key: SharedObject, named: Sequence[tuple[int, str]], columns: Sequence[str]
    ) -> Read:
        names = [name for _, name in named]
        url = f"{folder}/{names[0]}" if len(names) == 1 else f"{folder}/{{{','.join(names)}}}"
        given = [
            self._secret(value) for value in (key.access_key_id, key.secret_access_key, key.session_token) if value
        ]
        table = call("s3", url, *given, "Parquet", self.structure(columns))
        if self.cluster:
            table = call("s3Cluster", self.cluster, url, *given, "Parquet", self.structure(columns))
        numbers = [sql.integer(number) for number, _ in named]
        file = clickhouse(
            "toInt64(transform(_file, :names, :numbers, -1))",
            names=exp.Array(expressions=[exp.Literal.string(name) for name in names]),
            numbers=exp.Array(expressions=numbers),
        )
        if len(names) == 1:
            file = clickhouse("toInt64(:n)", n=numbers[0])
        return Read(table, file, clickhouse("toInt64(_row_number)"))

    def _secret(self, value: str) -> Expr:
        name = next((name for name, known in self.secrets.items() if known == value), f"key_{len(self.secrets) + 1}")
        self.secrets[name] = value
        return exp.Placeholder(this=name, kind="String")

    def structure(self, columns: Sequence[str], more: Iterable[str] = ()) -> str:
        """The columns with their types, as ClickHouse declares them; where a file lacks one, it is null."""
        listed = [f"{identifier(name)} {TYPES[SQL_TYPES[self.kinds[name]]]}" for name in columns]
        return ", ".join([*listed, *(f"{identifier(name)} Int64" for name in more)]) or "nothing Nullable(Int8)"

    def parquet(self, along: Along, paths: Mapping[str, Path]) -> bytes:
        """What is sent of a table. Blocking."""
        schema = pa.schema([(name, ARROW[SQL_TYPES[self.kinds[name]]]) for name in along.columns])
        parts = [rows_of(pq.ParquetFile(paths[file]), schema, number) for number, file in along.files]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables(parts), sink, compression="zstd")
        return sink.getvalue().to_pybytes()


def batched_list(items: Sequence[tuple[int, str]]) -> Iterable[Sequence[tuple[int, str]]]:
    """The items, as many at a time as one pattern may name."""
    for start in range(0, len(items), MOST_TOGETHER):
        yield items[start : start + MOST_TOGETHER]


def rows_of(file: pq.ParquetFile, schema: pa.Schema, number: int) -> pa.Table:
    """The columns of a schema of a file, null where it lacks one, and where each row is from."""
    there = set(file.schema_arrow.names)
    table = file.read([name for name in schema.names if name in there])
    count = file.metadata.num_rows
    columns = [
        table.column(field.name).cast(field.type) if field.name in there else pa.nulls(count, field.type)
        for field in schema
    ]
    columns += [pa.repeat(pa.scalar(number, pa.int64()), count), pa.array(range(count), pa.int64())]
    return pa.table(columns, names=[*schema.names, FILE, ROW])


def identifier(name: str) -> str:
    """A column's name as ClickHouse quotes it."""
    return exp.to_identifier(name, quoted=True).sql(dialect=DIALECT)
