"""Rows by ranges of time in a file: an answer between the statement that reads it and whoever takes it in order.

Segments are sorted by service and template, so that each moment's events are all over them, and to read a few of them
costs as much as to read all. So all are read once and put aside, without compression: that would cost half as much as
reading them did. The file has no name: it is gone when nobody holds it, or with the process.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from ...plugins.errors import QueryError
from .duck import ANSWER_BYTES, too_large

Span: TypeAlias = tuple[int, int]
"""Nanoseconds since the epoch: from (inclusive), to (exclusive)."""
_OLDEST = pl.CompatLevel.oldest()


class Parts:
    """All rows of a statement whose last column is their time in nanoseconds.

    :param spans: one part each, newest first; they meet, and every row is in one.
    :param folder: where the file is; None: where the system has such files.

    :raises QueryError: there is no room for them; a part is larger than an answer may be.
    """

    def __init__(self, spans: Sequence[Span], folder: Path | None, rows: pa.RecordBatchReader) -> None:
        self._lows = np.array([low for low, _ in reversed(spans)])
        self._schema = rows.schema
        self._places: list[list[tuple[int, int]]] = [[] for _ in spans]
        self.rows = [0] * len(spans)
        """How many rows each part has."""
        with ExitStack() as failing:
            with _room():
                file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it lives as long as this
            self._file = failing.enter_context(file).fileno()
            for batch in rows:
                self._write(batch)
            weakref.finalize(self, failing.pop_all().close)

    def _write(self, batch: pa.RecordBatch) -> None:
        for part, some in self._split(batch):
            data = memoryview(some.serialize())
            places = self._places[part]
            places.append((os.lseek(self._file, 0, os.SEEK_CUR), len(data)))
            self.rows[part] += some.num_rows
            if sum(size for _, size in places) > ANSWER_BYTES:
                raise too_large()
            with _room():
                while data:
                    data = data[os.write(self._file, data) :]

    def _split(self, batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        times = batch.column(batch.num_columns - 1).to_numpy()
        which = len(self._lows) - np.searchsorted(self._lows, times, side="right")
        ordered = batch.take(np.argsort(which.astype(np.int16), kind="stable"))
        start = 0
        for part, rows in enumerate(np.bincount(which).tolist()):
            if rows:
                yield part, ordered.slice(start, rows)
                start += rows

    def newest(self, part: int, limit: int) -> pa.Table:
        """The newest rows of a part without their times; of one moment the last first, as `plan` orders them."""
        read = (pa.py_buffer(os.pread(self._file, size, at)) for at, size in self._places[part])
        table = pa.Table.from_batches([pa.ipc.read_record_batch(data, self._schema) for data in read], self._schema)
        times = table.column(table.num_columns - 1).to_numpy()
        order = np.argsort(times, kind="stable")[::-1][:limit]
        # Polars finds texts in many chunks; Arrow would put all of them in one piece before.
        frame = pl.DataFrame(table.remove_column(table.num_columns - 1))[order]
        return frame.to_arrow(compat_level=_OLDEST).cast(pa.schema(list(self._schema)[:-1]))


@contextmanager
def _room() -> Iterator[None]:
    """What the disk has against it, in words; what a statement ends with is an OSError, too, and none of this."""
    try:
        yield
    except OSError as error:
        raise QueryError(
            f"the answer's rows cannot be put aside on disk: {error.strerror}",
            hint="ask for a shorter range or fewer fields, or make room where the data folder is",
        ) from error
