"""Parsers with expressions of the query language."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TypeVar

import polars as pl

from .base import Parser, PluginConfig
from .batch import Batch

C = TypeVar("C", bound=PluginConfig)


class Computer(Parser[C]):
    """A parser that is given what expressions of the query language are worth for each event.

    A parser knows nothing of the language, which is made above it: it names the expressions, and the pipeline computes
    them, for a whole batch at once.
    """

    def parse(self, batch: Batch) -> Batch:
        """The events where nothing was computed."""
        return self.put(batch, pl.DataFrame(height=len(batch)))

    @property
    @abstractmethod
    def expressions(self) -> Mapping[str, str]:
        """The expressions by the name of their field, as in the setting `expressions`."""

    @abstractmethod
    def put(self, batch: Batch, values: pl.DataFrame) -> Batch:
        """As `parse`, with a column for each expression, named and typed as an attribute of a batch.

        Of one that is null for all events there may be no column.
        """
