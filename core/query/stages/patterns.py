"""`patterns`: what kinds of messages there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import sql
from ..aggregate import rows
from ..duck import CLUSTERED
from ..relation import Relation
from ..shaped import Shaped, masked
from ..sql import Expr
from ..stage import Stage
from ..tree import Mistake, Place
from ..value import Value, one
from .limit import row_count

COUNT = 1000
COLUMNS = 5  # of the masks: what they are, how often, when from and to, an example
PLACE, VALUE = "place by message", "value of "  # columns on the way


class Patterns(Stage, frozen=True, kw_only=True):
    """Messages grouped by their pattern."""

    name = "patterns"
    GRAMMAR = (
        "patterns: PATTERNS [patterns_limit]\n"
        'patterns_limit: _PATTERNS_LIMIT "=" INTEGER\n_PATTERNS_LIMIT.9: /limit(?=\\s*=)/i'
    )
    DOC = """The messages' patterns, the most frequent first: the message with its values replaced by `<*>`, with
    `count`, `share`, `first_seen`, `last_seen` and an `example`. A value is what has a digit, what looks like one (a
    path, a host, a date), and a word where the messages found have five or more different ones at the same place. So a
    pattern may be more general over a longer range; `pattern:"…"` finds the messages of any pattern that was shown.
    Patterns that people merged, split or named come first, and then there are columns `name`, and `shaped`: what the
    shaped pattern is known by (see [patterns that people shape](language.md#patterns-that-people-shape)).

        severity>=error | patterns limit=20
    """

    limit: int = COUNT

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        option = children[0]
        return cls(limit=COUNT if option is None else row_count(option.children[0]), at=at)

    def written(self) -> str:
        return "patterns" + (f" limit={self.limit}" if self.limit != COUNT else "")

    def apply(self, relation: Relation) -> Relation:
        message, moment = (relation.field(name) for name in ("message", "timestamp"))
        is_table = relation.events is not None and relation.events.is_table
        if is_table or message is None or not message.has("text") or moment is None or not moment.has("time"):
            raise Mistake("there are no messages here to find patterns in", self.at, "put patterns before other stages")
        time, text = moment.kinds["time"], message.kinds["text"]
        relation = relation.where(sql.sql(":t IS NOT NULL", t=text))
        shaped = relation.context.shaped
        # `_template` cannot stand in for the mask, though it is there and costs a twentieth: it replaces whole tokens,
        # so `a=1` and `b=2` are one template. Of Loghub's 16,000 messages it is the mask of 6,352.
        masks = relation.grouped({"mask": one("text", masked(text)), **_told_by_message(shaped, text)}, {
            "count": rows(relation.context),
            "first_seen": one("time", sql.sql("min(:t)", t=time)),
            "last_seen": one("time", sql.sql("max(:t)", t=time)),
            "example": one("text", sql.sql("arg_max(:m, :t)", m=text, t=time)),
        })  # fmt: skip
        masks = _with_shaped(_with_pattern(masks), shaped)
        count, first, last, example = (
            next(iter(masks.columns[name].kinds.values())) for name in ("count", "first_seen", "last_seen", "example")
        )
        keys = ("pattern", "name", "shaped") if shaped else ("pattern",)
        found = masks.grouped({key: masks.columns[key] for key in keys}, {
            "count": one("int", sql.sql("CAST(sum(:n) AS BIGINT)", n=count)),
            "first_seen": one("time", sql.sql("min(:t)", t=first)),
            "last_seen": one("time", sql.sql("max(:t)", t=last)),
            "example": one("text", sql.sql("arg_max(:m, :t)", m=example, t=last)),
        })  # fmt: skip
        count = found.columns["count"].kinds["int"]
        share = one("float", sql.sql("CAST(:n AS DOUBLE) / sum(:n) OVER ()", n=count))
        names = (*keys, "count", "share", "first_seen", "last_seen", "example")
        shown = found.with_columns({"share": share})
        shown = shown.only({name: shown.columns[name] for name in names})
        return shown.sorted_by([(shown.columns["count"], True), (shown.columns["pattern"], False)]).limited(self.limit)


def _with_pattern(masks: Relation) -> Relation:
    """The masks, each with its pattern: all of them are compared at once, by a function that DuckDB calls once."""
    mask = masks.columns["mask"].kinds["text"]
    total = one("int", sql.sql("CAST(sum(:n) AS BIGINT)", n=masks.columns["count"].kinds["int"]))
    # With columns beside it a mask is there several times.
    distinct = masks if len(masks.columns) == COLUMNS else masks.grouped({"mask": one("text", mask)}, {"count": total})
    its_mask, count = distinct.columns["mask"].kinds["text"], distinct.columns["count"].kinds["int"]
    all_masks, of_mask, pattern = (masks.names.new(wish) for wish in ("masks", "of_mask", "pattern"))
    ordered = sql.sql("list(:m ORDER BY :n DESC, :m)", m=its_mask, n=count)
    listed = distinct.then(distinct.select(sql.alias(ordered, all_masks)))
    patterns = sql.call(CLUSTERED, sql.column(all_masks))
    pairs = listed.then(
        listed.select(
            sql.alias(sql.call("unnest", sql.column(all_masks)), of_mask),
            sql.alias(sql.call("unnest", patterns), pattern),
        )
    )
    select = masks.select().join(
        pairs.table(), on=sql.sql(":a = :b", a=mask, b=sql.column(of_mask)), join_type="inner", copy=False
    )
    return masks.then(select, columns={**masks.columns, "pattern": one("text", sql.column(pattern))})


def _told_by_message(shaped: Shaped, message: Expr) -> dict[str, Value]:
    """What a message's mask does not tell of its place among what people shaped, by the names of the columns."""
    place = shaped.place_in_message(message)
    told = {} if place is None else {PLACE: one("int", place)}
    return told | {f"{VALUE}{i}": one("text", shaped.value(i, message)) for i in shaped.splits}


def _with_shaped(masks: Relation, shaped: Shaped) -> Relation:
    """The masks with the patterns that people shaped in the place of those that were found, and with their names."""
    if not shaped:
        return masks
    place = shaped.place_in_mask(masks.columns["mask"].kinds["text"])
    if PLACE in masks.columns:
        place = sql.call("least", masks.columns[PLACE].kinds["int"], place)
    masks, place = masks.computed(place, "place")
    text: Expr = sql.call("list_extract", shaped.texts_by_place(), place)
    shape = text.copy()
    for i in shaped.splits:
        before, after = shaped.patterns[i].sides
        value = masks.columns[f"{VALUE}{i}"].kinds["text"]
        text = sql.sql(
            "CASE WHEN list_contains(:l, :p) THEN concat(:b, :v, :a) ELSE :t END",
            l=shaped.places(i), p=place, b=before, v=value, a=after, t=text,
        )  # fmt: skip
    found = masks.columns["pattern"].kinds["text"]
    name = sql.call("list_extract", shaped.names_by_place(), place)
    return masks.with_columns({
        "pattern": one("text", exp.Coalesce(this=text, expressions=[found])),
        "name": one("text", sql.cast(name, "VARCHAR")),
        "shaped": one("text", shape),
    })  # fmt: skip
