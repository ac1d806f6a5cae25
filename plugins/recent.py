"""What parsers remember of the events before: a number for each of many keys, in bounds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from .batch import Batch
from .durations import Duration, duration_ns
from .fields import split_column

MOST: Final = 200_000
"""Keys that a memory holds, of 24 bytes each. Beyond, the oldest are forgotten."""
_SURPLUS: Final = MOST // 4  # beyond, they are forgotten all at once
_LONGEST_NS: Final = 3_600_000_000_000
_SEED: Final = 11


class Recent:
    """A number for each of many keys: sorted arrays, in which whole batches are looked up and put at once."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.uint64)
        self._at = np.empty(0, np.int64)
        self._values = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, keys: pl.Series, after: int) -> pl.Series:
        """The numbers of keys that were put after this time, null for others."""
        wanted = keys.to_numpy()
        place = np.minimum(np.searchsorted(self._keys, wanted), max(0, len(self._keys) - 1))
        if not len(self._keys):
            return pl.repeat(None, len(keys), dtype=pl.Int64, eager=True)
        known = (self._keys[place] == wanted) & (self._at[place] > after)
        return pl.Series(self._values[place]).set(pl.Series(~known), None)

    def put(self, keys: pl.Series, values: pl.Series, at: int, oldest: int) -> None:
        """Remember these, each key once; what was put at `oldest` or before may be forgotten."""
        order = np.argsort(keys.to_numpy())
        new, numbers = keys.to_numpy()[order], values.to_numpy()[order]
        place = np.searchsorted(self._keys, new)
        known = np.zeros(len(new), bool)
        within = place < len(self._keys)
        known[within] = self._keys[place[within]] == new[within]
        self._at[place[known]], self._values[place[known]] = at, numbers[known]
        place, new, numbers = place[~known], new[~known], numbers[~known]
        self._keys = np.insert(self._keys, place, new)
        self._at = np.insert(self._at, place, at)
        self._values = np.insert(self._values, place, numbers)
        if len(self._keys) > MOST + _SURPLUS:
            self._forget(oldest)

    def _forget(self, oldest: int) -> None:
        """Only what is needed stays, and of that the newest, in the order of keys."""
        needed = np.flatnonzero(self._at > oldest)
        if len(needed) > MOST:
            needed = np.sort(needed[np.argsort(self._at[needed], kind="stable")[-MOST:]])
        self._keys, self._at, self._values = self._keys[needed], self._at[needed], self._values[needed]


class Quota:
    """How many events of each key have gone on in the interval that runs."""

    def __init__(self, most: int, every: Duration) -> None:
        """:raises ValueError: the interval is longer than an hour"""
        self._most, self._every = most, duration_ns(every)
        if not 0 < self._every <= _LONGEST_NS:
            raise ValueError("every: an hour is the longest")
        self._gone = Recent()
        self._returned: deque[tuple[pl.Series, pl.Series, int]] = deque()
        self._lock = threading.Lock()

    def take(self, keys: pl.Series, now: int) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Which rows go on; and the keys of which some do, each once, with their numbers, to be given to `back`."""
        begins = now - now % self._every
        with self._lock:
            self._settle()
            before = self._gone.find(keys, begins - 1).fill_null(0)
            table = pl.DataFrame({"key": keys, "before": before})
            nth = table.select(n=pl.col("before") + pl.int_range(pl.len()).over("key"))["n"]
            goes = nth < self._most
            taken = table.filter(goes).group_by("key").agg(pl.len().cast(pl.Int64).alias("n"), pl.col("before").first())
            if len(taken):
                self._gone.put(taken["key"], taken["before"] + taken["n"], begins, begins - 1)
        return goes, taken["key"], taken["n"]

    def back(self, keys: pl.Series, numbers: pl.Series, now: int) -> None:
        """Those that were taken at that time are not stored: as many more may go on. Does not block."""
        self._returned.append((keys, numbers, now - now % self._every))

    def _settle(self) -> None:
        while self._returned:
            keys, numbers, begins = self._returned.popleft()
            left = pl.DataFrame({"key": keys, "n": self._gone.find(keys, begins - 1) - numbers}).drop_nulls()
            if len(left):
                self._gone.put(left["key"], left["n"].clip(0), begins, begins - 1)


def keys_of(batch: Batch, fields: Sequence[str]) -> pl.Series:
    """A number for each event, the same where these fields are equal; null where it has none of them."""
    frame = batch.frame
    mine = [
        frame[name].cast(pl.String) for name, dtype in frame.schema.items() if split_column(name, dtype)[0] in fields
    ]
    if not mine:
        return pl.repeat(None, len(batch), dtype=pl.UInt64, eager=True)
    table = pl.DataFrame([column.alias(f"{i}") for i, column in enumerate(mine)])
    names = [f"{split_column(column.name, column.dtype)[0]}" for column in mine]
    parts = [pl.lit(f"\0{name}\0") + pl.col(f"{i}") for i, name in enumerate(names)]  # a NUL is in no field's name
    text = pl.concat_str(parts, ignore_nulls=True)
    nothing = pl.all_horizontal(pl.all().is_null())
    return table.select(pl.when(~nothing).then(text.hash(_SEED)).alias("key"))["key"]


def arrived(batch: Batch) -> int:
    """When the batch came, in nanoseconds."""
    return int(batch.frame["observed_timestamp"].cast(pl.Int64).max() or 0)  # type: ignore[arg-type]
