"""One event that holds several, taken apart.

    parse:
      - {type: split, field: records}                    # an array
      - {type: split, field: message, separator: "\\n"}   # a text

Each part is an event with all other fields. The members of an object become fields, as if it had come alone; any other
part takes the field's place. An event without the field, or with an empty array, stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import polars as pl
from pydantic import Field

from ..plugins import NOT_JSON, Batch, Divided, Divider, PluginConfig, hookimpl, read_lines, read_ndjson, split_column

MOST: Final = 10_000
"""Parts of one event: beyond, it stays one."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes that the other fields of one event may take in all its parts together: beyond, it stays one."""
_ROWS: Final = pl.UInt32


class SplitConfig(PluginConfig):
    """Settings of taking apart."""

    field: str = Field("message", min_length=1, max_length=1_000)
    """The field that holds several: an array of JSON, or a text with a `separator`."""
    separator: str | None = Field(None, min_length=1, max_length=100)
    """What stands between the parts of a text, such as `;`; empty parts are left out. Not set: it is an array."""


class Split(Divider[SplitConfig]):
    """Make an event of each element of an array, or of each part of a text; at most 10,000 of one event."""

    def divide(self, batch: Batch) -> Divided:
        """Each part with the other fields of its event. What begins as an array and is none gets a `parse_error`."""
        text = _text(batch, self.config.field)
        if self.config.separator is not None:
            parts = _of_text(text, self.config.separator)
            error = pl.repeat(None, len(text), dtype=pl.String, eager=True)
        else:
            parts, error = _of_arrays(text)
        most = self._most(batch)
        too_many = (parts.list.len() > most).fill_null(value=False)
        error = error.set(too_many, "split: too many parts")
        parts = parts.set(too_many | (parts.list.len() == 0), None)
        table = pl.DataFrame({"row": pl.Series(range(len(batch)), dtype=_ROWS), "part": parts}).explode("part")
        rows, part = table["row"], table["part"]
        frame = _refused(batch, error).frame[rows] if len(rows) else batch.frame
        divided = part.is_not_null()
        if not divided.any():
            return Divided(Batch(frame), rows)
        return Divided(self._with_parts(frame, part, divided), rows)

    def _most(self, batch: Batch) -> pl.Series:
        """How many parts each event may have, by what its other fields take."""
        texts = [pl.col(name).str.len_bytes() for name, dtype in batch.frame.schema.items() if dtype == pl.String]
        size = pl.sum_horizontal(*texts) - _text(batch, self.config.field).str.len_bytes().fill_null(0)
        return batch.frame.select(most=(MOST_BYTES // pl.max_horizontal(size, 1)).clip(1, MOST))["most"]

    def _with_parts(self, frame: pl.DataFrame, part: pl.Series, divided: pl.Series) -> Batch:
        """The parts in place of the field, or their members beside the others."""
        field = self.config.field
        mine = [name for name, dtype in frame.schema.items() if split_column(name, dtype)[0] == field]
        emptied = Batch.of(frame.with_columns(frame[name].set(divided, None) for name in mine))
        values = part.filter(divided)
        if self.config.separator is not None:
            found = Batch.of(pl.DataFrame({field: values}))
        else:
            wrapped = '{"' + _escaped(field) + '":' + values + "}"
            found = _events(values.zip_with(values.str.starts_with("{"), wrapped))
        index = pl.select(pl.when(divided).then(divided.cum_sum().cast(pl.Int64) - 1)).to_series()
        spread = Batch(found.frame[index.fill_null(0)])
        nothing = pl.repeat(None, len(frame), dtype=pl.String, eager=True)
        return emptied.merged(spread, where=divided, error=nothing)


def _text(batch: Batch, field: str) -> pl.Series:
    """The field where it is text or JSON; null elsewhere."""
    text = pl.repeat(None, len(batch), dtype=pl.String, eager=True)
    for name, dtype in batch.frame.schema.items():
        if dtype == pl.String and split_column(name, dtype)[0] == field:
            text = text.zip_with(text.is_not_null(), batch.frame[name])
    return text


def _of_text(text: pl.Series, separator: str) -> pl.Series:
    """The parts of each text that are not empty; null where there is one."""
    parts = text.str.split(separator).list.eval(pl.element().filter(pl.element() != ""))
    return parts.set(parts.list.len() < 2, None)


def _of_arrays(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The elements of each array, and why a text that begins as one is none. All arrays are read in one go."""
    arrays = text.str.contains(r"^\s*\[").fill_null(value=False)
    texts = text.filter(arrays).to_list()
    error = pl.repeat(None, len(text), dtype=pl.String, eager=True)
    found = _read(texts)
    elements = [None if one is None else [bytes(element).decode() for element in one] for one in found]
    listed = pl.Series(elements, dtype=pl.List(pl.String))
    index = pl.select(pl.when(arrays).then(arrays.cum_sum().cast(pl.Int64) - 1)).to_series()
    parts = listed.gather(index) if len(listed) else pl.repeat(None, len(text), dtype=pl.List(pl.String), eager=True)
    return parts, error.set(arrays & parts.is_null(), "split: no array")


def _read(texts: Sequence[str]) -> Sequence[Sequence[msgspec.Raw] | None]:
    """The elements of each text, None where it is no array."""
    decoder = msgspec.json.Decoder(list[msgspec.Raw])
    lines = "\n".join(texts)
    if lines.count("\n") == len(texts) - 1:
        with suppress(*NOT_JSON):
            return decoder.decode_lines(lines)
    found: list[Sequence[msgspec.Raw] | None] = []
    for text in texts:
        try:
            found.append(decoder.decode(text))
        except NOT_JSON:
            found.append(None)
    return found


def _events(lines: pl.Series) -> Batch:
    """An event of each object."""
    body = str(lines.str.join("\n").item()).encode()
    if body.count(b"\n") == len(lines) - 1:
        return read_ndjson(body, None)
    return read_lines([line.encode() for line in lines.to_list()], None)


def _escaped(name: str) -> str:
    return msgspec.json.encode(name).decode()[1:-1]


def _refused(batch: Batch, error: pl.Series) -> Batch:
    return Batch(batch.frame.with_columns(parse_error=batch.frame["parse_error"].fill_null(error)))


@hookimpl
def cordwood_plugins() -> list[type[Split]]:
    """The step that takes events apart."""
    return [Split]
