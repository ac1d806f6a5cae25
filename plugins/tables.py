"""Parsers that read lookup tables, and a table as they see it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import polars as pl

from .base import Parser, PluginConfig
from .batch import Batch
from .enriching import attribute, written
from .fields import kind_of

C = TypeVar("C", bound=PluginConfig)
_KEY, _ROW = "\0key", "\0row"  # a NUL is in no column's name


class Table:
    """A version of a lookup table, which never changes; a column's index is made when it is asked for first."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._indexes: dict[str, tuple[pl.Series, pl.Series]] = {}

    @property
    def columns(self) -> Sequence[str]:
        """Their names, in order."""
        return self._frame.columns

    def find(self, column: str, values: pl.Series, wanted: Sequence[str]) -> pl.DataFrame:
        """For each text the `wanted` columns of the first row whose `column` is written so; null where there is none.

        They are named as attributes of a batch are.
        """
        keys, rows = self._index(column)
        at = keys.search_sorted(values).clip(0, max(len(keys) - 1, 0))
        if len(keys):
            at = rows.gather(at).set(keys.gather(at) != values, None)
        else:
            at = pl.repeat(None, len(values), dtype=pl.UInt32, eager=True)
        # A series' own name may be a pattern to polars.
        names = [attribute(name, kind_of(self._frame.schema[name]) or "text") for name in wanted]
        found = [self._frame[name].alias("").gather(at) for name in wanted]
        return pl.DataFrame([one.alias(name) for one, name in zip(found, names, strict=True)])

    def _index(self, column: str) -> tuple[pl.Series, pl.Series]:
        """Its distinct values as sorted texts, and the row of each."""
        if column not in self._indexes:
            keys = written(self._frame[column]).alias(_KEY).to_frame().with_row_index(_ROW).drop_nulls()
            keys = keys.unique(_KEY, keep="first", maintain_order=True).sort(_KEY)
            self._indexes[column] = keys[_KEY], keys[_ROW]
        return self._indexes[column]


class Joiner(Parser[C]):
    """A parser that reads lookup tables of the project whose events it sees."""

    def parse(self, batch: Batch) -> Batch:
        """The events where there is no table at all."""
        return self.join(batch, {})

    @property
    @abstractmethod
    def tables(self) -> Collection[str]:
        """The names of the tables that it reads."""

    @abstractmethod
    def join(self, batch: Batch, tables: Mapping[str, Table]) -> Batch:
        """As `parse`, with the newest versions of its tables, as far as there are."""
