"""From the keys that a shipper sent to the standard fields: aliases, timestamps, severity words; on whole columns."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from .batch import Batch
from .fields import ALIASES, TIME, UNDERSTOOD, split_column
from .severity import NAMES, severity_number
from .times import UTC, parse_times

_TEXT = ("service", "host", "source", "message", "trace_id", "span_id", "parse_error")
_FEW = 256  # distinct severity words up to which they are looked up once each instead of once a row
_LONG_WORD = 64  # bytes of a severity word from which on it is not kept in memory


def normalise(frame: pl.DataFrame, observed: int | None, *, zone: ZoneInfo = UTC) -> Batch:
    """A batch of the flat columns `frame` (names as sent, kinds as `fields.split_column` reads them).

    `observed` is the time of arrival in nanoseconds; it stands for a timestamp that is missing or nonsense, the latter
    with a `parse_error`, and the nonsense stays as an attribute under an alias's own name. None leaves those times
    null, as `Batch.merged` wants them. Times without an offset are in `zone`.
    """
    names: dict[str, dict[str, str]] = {}  # field as sent → kind → column
    for name, dtype in frame.schema.items():
        field, kind = split_column(name, dtype)
        if field in UNDERSTOOD:
            names.setdefault(field, {})[kind] = name
    leftover: dict[str, pl.Series] = {}

    def take(field: str) -> dict[str, pl.Series]:
        """The field's values by kind: of its aliases the first with a value in a row; others stay attributes."""
        aliases = [names[alias] for alias in ALIASES.get(field, (field,)) if alias in names]
        if len(aliases) == 1:
            return {kind: frame[name] for kind, name in aliases[0].items()}
        found: dict[str, pl.Series] = {}
        free = pl.repeat(value=True, n=frame.height, eager=True)
        for columns in aliases:
            has_value = pl.repeat(value=False, n=frame.height, eager=True)
            for kind, name in columns.items():
                column = frame[name]
                null = pl.repeat(None, frame.height, dtype=column.dtype, eager=True)
                mine, other = column.zip_with(free, null), null.zip_with(free, column)
                if other.null_count() < frame.height:
                    leftover[name] = other
                found[kind] = found[kind].zip_with(found[kind].is_not_null(), mine) if kind in found else mine
                has_value |= column.is_not_null()
            free &= ~has_value
        return found

    arrival = pl.repeat(observed, frame.height, dtype=pl.Int64, eager=True).cast(TIME)
    timestamp, wrong = _timestamp(take("timestamp"), arrival, zone)
    if wrong is not None:
        leftover |= _nonsense(frame, names, leftover, wrong.is_not_null())
    take("observed_timestamp")
    out = {"timestamp": timestamp, "observed_timestamp": arrival}
    out |= _severity(take("severity"), take("severity_text"))
    out |= {field: text for field in _TEXT if (text := _text(take(field))) is not None}
    if wrong is not None:
        error = out.get("parse_error", wrong)
        out["parse_error"] = error.zip_with(error.is_not_null(), wrong)
    known = {name for columns in names.values() for name in columns.values()}
    attributes = [frame[name] for name in frame.columns if name not in known]
    return Batch.of(pl.DataFrame([column.alias(name) for name, column in (out | leftover).items()]).hstack(attributes))


def _nonsense(
    frame: pl.DataFrame, names: dict[str, dict[str, str]], leftover: dict[str, pl.Series], wrong: pl.Series
) -> dict[str, pl.Series]:
    """What was sent as a time and is none, for a later parser that knows its layout."""
    kept: dict[str, pl.Series] = {}
    for alias in ALIASES["timestamp"][1:]:
        for name in names.get(alias, {}).values():
            column = frame[name]
            null = pl.repeat(None, frame.height, dtype=column.dtype, eager=True)
            kept[name] = column.zip_with(wrong, leftover.get(name, null))
    return {name: column for name, column in kept.items() if column.null_count() < len(column)}


def _text(found: dict[str, pl.Series]) -> pl.Series | None:
    """One text column of all kinds; None where the field was not sent."""
    text: pl.Series | None = None
    for column in found.values():
        words = column if column.dtype == pl.String else column.cast(pl.String)
        text = words if text is None else text.zip_with(text.is_not_null(), words)
    return text


def _timestamp(found: dict[str, pl.Series], arrival: pl.Series, zone: ZoneInfo) -> tuple[pl.Series, pl.Series | None]:
    """The times, and where there is nonsense its `parse_error`."""
    times: pl.Series | None = None
    for column in found.values():
        parsed = parse_times(column, zone)
        times = parsed if times is None else times.zip_with(times.is_not_null(), parsed)
    if times is None:
        return arrival, None
    if not times.has_nulls():
        return times, None
    sent = _text(found)
    assert sent is not None
    nonsense = times.is_null() & sent.is_not_null() & (sent != "")
    wrong: pl.Series | None = None
    if nonsense.any():
        shown = pl.format(
            'timestamp: "{}" is no time from 1678 to 2261, so the time of arrival stands', pl.col("t").str.head(200)
        )
        wrong = pl.DataFrame({"t": sent, "bad": nonsense}).select(pl.when("bad").then(shown).alias("e"))["e"]
    return times.zip_with(times.is_not_null(), arrival), wrong


def _severity(found: dict[str, pl.Series], texts: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """SeverityNumber, and the source's word where it is not just the number's own name."""
    sent, explicit = _text(found), _text(texts)
    word = explicit if sent is None else sent
    if word is None:
        return {}
    distinct = word.unique()
    number = _numbers(word, distinct)
    if explicit is not None and sent is not None:
        spoken = _numbers(explicit, explicit.unique())
        number = number.zip_with(number.is_not_null(), spoken)
        word = explicit.zip_with(explicit.is_not_null(), sent)
        distinct = word.unique()
    kept = _other_words(word, distinct)
    return {"severity": number} | ({} if kept is None else {"severity_text": kept})


_OWN_WORDS = [*map(str, NAMES), *NAMES.values()]


def _other_words(word: pl.Series, distinct: pl.Series) -> pl.Series | None:
    """The words that are not just a number or its own name; None: there are none. Few columns mix the two."""
    own = distinct.is_in(_OWN_WORDS)
    if not own.any():
        return word
    if own.all():
        return None
    kept = word.to_frame("w").select(pl.when(~pl.col("w").is_in(_OWN_WORDS)).then("w"))["w"]
    return kept if kept.null_count() < len(kept) else None


def _numbers(word: pl.Series, distinct: pl.Series) -> pl.Series:
    distinct = distinct.drop_nulls()
    if len(distinct) > _FEW or (distinct.str.len_bytes() >= _LONG_WORD).any():
        return word.to_frame("w").select(severity_number(pl.col("w")))["w"]
    words, numbers = _meanings(tuple(distinct.sort().to_list()))
    return word.replace_strict(words, numbers, default=None, return_dtype=pl.UInt8)


@lru_cache(maxsize=64)
def _meanings(words: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """The words that have a SeverityNumber, and their numbers. A sender uses the same few words in every body."""
    known = pl.DataFrame({"w": words}, schema={"w": pl.String}).with_columns(n=severity_number(pl.col("w")))
    known = known.drop_nulls()
    return known["w"], known["n"]
