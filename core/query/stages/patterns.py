"""`patterns`: what kinds of messages there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ....plugins.patterns import MASK, PLACEHOLDER
from .. import sql
from ..aggregate import rows
from ..duck import CLUSTERED
from ..relation import Relation
from ..stage import Stage
from ..tree import Mistake, Place
from ..value import one
from .limit import row_count

COUNT = 1000


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
        # `_template` cannot stand in for the mask, though it is there and costs a twentieth: it replaces whole tokens,
        # so `a=1` and `b=2` are one template. Of Loghub's 16,000 messages it is the mask of 6,352.
        mask = sql.sql("regexp_replace(:m, :r, :p, 'g')", m=text, r=MASK, p=PLACEHOLDER)
        masks = relation.grouped({"mask": one("text", mask)}, {
            "count": rows(relation.context),
            "first_seen": one("time", sql.sql("min(:t)", t=time)),
            "last_seen": one("time", sql.sql("max(:t)", t=time)),
            "example": one("text", sql.sql("arg_max(:m, :t)", m=text, t=time)),
        })  # fmt: skip
        masks = _with_pattern(masks)
        count, first, last, example = (
            next(iter(masks.columns[name].kinds.values())) for name in ("count", "first_seen", "last_seen", "example")
        )
        found = masks.grouped({"pattern": masks.columns["pattern"]}, {
            "count": one("int", sql.sql("CAST(sum(:n) AS BIGINT)", n=count)),
            "first_seen": one("time", sql.sql("min(:t)", t=first)),
            "last_seen": one("time", sql.sql("max(:t)", t=last)),
            "example": one("text", sql.sql("arg_max(:m, :t)", m=example, t=last)),
        })  # fmt: skip
        count = found.columns["count"].kinds["int"]
        share = one("float", sql.sql("CAST(:n AS DOUBLE) / sum(:n) OVER ()", n=count))
        names = ("pattern", "count", "share", "first_seen", "last_seen", "example")
        shown = found.with_columns({"share": share})
        shown = shown.only({name: shown.columns[name] for name in names})
        return shown.sorted_by([(shown.columns["count"], True), (shown.columns["pattern"], False)]).limited(self.limit)


def _with_pattern(masks: Relation) -> Relation:
    """The masks, each with its pattern: all of them are compared at once, by a function that DuckDB calls once."""
    mask, count = masks.columns["mask"].kinds["text"], masks.columns["count"].kinds["int"]
    all_masks, of_mask, pattern = (masks.names.new(wish) for wish in ("masks", "of_mask", "pattern"))
    ordered = sql.sql("list(:m ORDER BY :n DESC, :m)", m=mask, n=count)
    listed = masks.then(masks.select(sql.alias(ordered, all_masks)))
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
