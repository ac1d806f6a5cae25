"""Parsers that make several events of one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from .base import Parser, PluginConfig
from .batch import Batch

C = TypeVar("C", bound=PluginConfig)


@dataclass(frozen=True, slots=True)
class Divided:
    """The events that were made of a batch."""

    batch: Batch
    rows: pl.Series
    """Of which event, by its number from 0, each one was made: ascending, and none of them is missing."""


class Divider(Parser[C]):
    """A parser that makes several events of one; one that it cannot divide stays one, with `parse_error`."""

    def parse(self, batch: Batch) -> Batch:
        """The events as they came."""
        return batch

    @abstractmethod
    def divide(self, batch: Batch) -> Divided:
        """Take the events apart; those of one event follow each other."""
