"""Conformance of parsers: rows, columns, and lines that wish them ill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from .base import Parser, PluginConfig
from .batch import Batch
from .conformance_class import Check, Contract, class_checks, make, require, tests_of
from .dividing import Divider
from .fields import STANDARD, split_column
from .gathering import Gatherer, Held
from .judging import Judge
from .lines import split_lines

_ROW = "conformance.row"
_AT = 1_768_471_200_000_000_000
HOSTILE: dict[str, str | None] = {
    "empty": "",
    "blank": " \t ",
    "null": None,
    "1 MB": "x" * 1_000_000,
    "1 MB of brackets": "[{(" * 333_333,
    "NUL": "a\0b",
    "escaped bytes": split_lines(b"\xff\xfe caf\xe9").item(),
    "several lines": "one\r\ntwo\n\nthree",
    "bidi": "\u202eevil\u2066",
    "emoji": "\U0001f469\u200d\U0001f4bb \U0001f600",
    "line separators": "a\u2028b\u0085c\x0b",
    "quotes": "\"'`\\",
    "markup": "<script>alert(1)</script> %s %n ${HOME} {{x}}",
    "digits": "9" * 400,
    "bad date": "2026-02-30T25:61:61Z",
    "half JSON": '{"a": [1, {"b"',
    "deep JSON": '{"a":' * 500 + "1" + "}" * 500,
}
"""Messages that a parser must survive, each by a name."""


def parser_contract(
    cls: type[Parser[Any]],
    config: Mapping[str, Any] | PluginConfig | None = None,
    lines: Sequence[str] = (),
) -> Contract:
    """The tests of a parser. `lines` are some that it understands; `config` are its settings as in the YAML.

    Checked: rows, their order and columns stay, and so does the input; no line makes it fail or spoils its neighbours.
    """

    def parse(batch: Batch) -> Batch:
        return make(cls, config).parse(batch)  # type: ignore[no-any-return]

    def divided() -> None:
        """What a divider makes of each event follows it, with its other fields."""
        many: Sequence[str | None] = [*lines, *HOSTILE.values()]
        for messages in (many, [], [None, None], *([message] for message in HOSTILE.values())):
            batch, parser = _batch(messages), make(cls, config)
            made = parser.divide(batch)
            frame, rows = made.batch.frame, made.rows.cast(pl.Int64)
            require(len(frame) == len(rows), f"{len(frame)} events, and rows for {len(rows)}")
            require(rows.is_sorted(), "rows must ascend: the parts of an event follow each other")
            require(set(rows) == set(range(len(batch))), "each event must be there, divided or not")
            require(Batch.of(frame).frame.equals(frame), "a column has a type or name that no batch has: use Batch.of")
            require(frame[_ROW].equals(batch.frame[_ROW].gather(rows)), "attributes of earlier steps must stay")

    def gathers() -> None:
        """What came is in what is whole or in what is held, and nothing is held when nothing more will come."""
        many: Sequence[str | None] = [*lines, *HOSTILE.values()]
        parser = make(cls, config)
        held = Held()
        for messages in (many, [], [None], *([message] for message in HOSTILE.values())):
            before, batch = held, _batch(messages)
            found = parser.gather(held, batch, _AT)
            held = found.held
            came = len(batch) + sum(before.parts)
            texts = [*before.batch.frame["message"], *messages]
            require(len(held.batch) == len(held.parts) == len(held.at), "parts and at are of each event that is held")
            require(sum(held.parts) + len(found.batch) <= came, "more events than came")
            everything = "\n".join(t or "" for t in [*found.batch.frame["message"], *held.batch.frame["message"]])
            require(all((text or "") in everything for text in texts), "a message is gone")
        end = parser.gather(held, _batch([]), _AT, last=True)
        require(not len(end.held.batch), "nothing more will come: nothing may be held")
        require(len(end.batch) == len(held.batch), "what was held must be whole at the end")

    def judged() -> None:
        """A judge's verdict is over every event, and what is not committed leaves no trace."""
        batch, parser = _batch([*lines, *lines, *HOSTILE.values()]), make(cls, config)
        for given in (_batch([]), batch, batch):
            verdict = parser.judge(given)
            require(
                len(verdict.keeps) == len(given) == len(verdict.batch), "a verdict is over every event, in its order"
            )
            require(verdict.keeps.dtype == pl.Boolean and not verdict.keeps.null_count(), "keeps must be true or false")
            _checked(given, lambda _, made=verdict.batch: made)
            verdict.settle(False)
        first, again = (make(cls, config).judge(batch), parser.judge(batch))
        same = first.keeps.equals(again.keeps) and _events(first.batch) == _events(again.batch)
        require(same, "a batch that was not committed was not forgotten: its sender sends it again")

    def understands() -> None:
        parsed = _checked(_batch(lines), parse)
        wrong = parsed.frame.filter(pl.col("parse_error").is_not_null())
        told = wrong.select("message", "parse_error").head(3).rows()
        require(not len(wrong), f"lines that it should understand have a parse_error: {told}")

    def empty_batch() -> None:
        _checked(_batch([]), parse)

    def all_null() -> None:
        _checked(_batch([None, None, None]), parse)

    def hostile() -> None:
        for name, message in HOSTILE.items():
            try:
                _checked(_batch([message]), parse)
            except AssertionError as why:
                raise AssertionError(f"a message of {name}: {why}") from why

    def neighbours() -> None:
        """Good lines among hostile ones give what they give alone."""
        bad = [message for name, message in HOSTILE.items() if name != "1 MB of brackets"]
        mixed = [one for message in bad for one in (message, *lines)]
        together = _checked(_batch(mixed), parse)
        good = pl.Series([one for _ in bad for one in (False, *(True for _ in lines))], dtype=pl.Boolean)
        alone = _events(_checked(_batch(lines), parse)) if lines else []
        among = _events(Batch(together.frame.filter(good)))
        require(among == alone * len(bad), "lines are parsed differently among lines that are not understood")

    def refused_lines_stay() -> None:
        before = _batch(list(HOSTILE.values()))
        after = _checked(before, parse)
        refused = after.frame["parse_error"].is_not_null()
        kept = after.frame["message"].eq_missing(before.frame["message"]) | ~refused
        require(kept.all(), "a row with a parse_error must keep its message as it came")

    def input_unchanged() -> None:
        batch = _batch([*lines, *HOSTILE.values()])
        copy = batch.frame.clone().rechunk()
        parse(batch)
        require(batch.frame.equals(copy), "the parser changed the batch that it was given: batches never change")

    def same_again() -> None:
        batch = _batch([*lines, *HOSTILE.values()])
        require(
            _events(_checked(batch, parse)) == _events(_checked(batch, parse)),
            "the same batch gives different events the second time: a parser has no state",
        )

    def fields_of_other_kinds() -> None:
        """The fields that it sets may be there already, as another kind of value."""
        parsed = _checked(_batch([*lines, "x"]), parse)
        fields = {split_column(n, t)[0] for n, t in parsed.frame.schema.items() if n not in STANDARD} - {_ROW}
        before = _batch([*lines, "x"]).frame
        _checked(Batch.of(before.with_columns(pl.lit(value=True).alias(field) for field in fields)), parse)
        _checked(Batch.of(before.with_columns(pl.lit("text").alias(field) for field in fields)), parse)

    checks: dict[str, Check] = {
        "empty batch": empty_batch,
        "all null": all_null,
        "hostile lines": hostile,
        "hostile neighbours": neighbours,
        "refused lines stay": refused_lines_stay,
        "input unchanged": input_unchanged,
        "same again": same_again,
        "fields of other kinds": fields_of_other_kinds,
    }
    if issubclass(cls, Gatherer):
        checks["gathers"] = gathers
    if issubclass(cls, Divider):
        checks["divides"] = divided
    if issubclass(cls, Judge):
        checks["judges"] = judged
    return tests_of(class_checks(cls, "parser") | checks | ({"understands its lines": understands} if lines else {}))


def _batch(messages: Sequence[str | None]) -> Batch:
    """A batch of these messages with a number on each row, and an attribute, as earlier steps leave them."""
    plain = Batch.from_lines(pl.Series("message", messages, dtype=pl.String), observed=_AT).frame
    rows = pl.Series(_ROW, range(len(messages)), dtype=pl.Int64)
    return Batch.of(plain.with_columns(rows, pl.lit("/var/log/app.log").alias("log.file.path")))


def _checked(batch: Batch, parse: Any) -> Batch:
    """The parsed batch, with everything that must hold for any parser's."""
    try:
        parsed = parse(batch)
    except Exception as why:
        raise AssertionError(f"parse raised {type(why).__name__}: {why}; mark such rows with parse_error") from why
    require(isinstance(parsed, Batch), f"parse returned {type(parsed).__name__}, not a Batch")
    frame = parsed.frame
    require(frame.height == len(batch), f"{len(batch)} rows became {frame.height}: no row may come or go")
    require(list(frame.schema.items())[: len(STANDARD)] == list(STANDARD.items()), "standard columns or types changed")
    require(Batch.of(frame).frame.equals(frame), "a column has a type or name that no batch has: use Batch.of")
    require(_ROW in frame.columns, "attributes of earlier steps must stay")
    require(frame[_ROW].equals(batch.frame[_ROW]), "the order of rows changed")
    seen = frame["observed_timestamp"].equals(batch.frame["observed_timestamp"])
    require(seen, "observed_timestamp is when the event arrived: a parser must not change it")
    return parsed  # type: ignore[no-any-return]


def _events(batch: Batch) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != _ROW} for event in batch.events()]
