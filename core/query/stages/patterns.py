"""`patterns`: what kinds of messages there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import sql
from ..aggregate import rows
from ..relation import Relation
from ..scope import TEMPLATE
from ..stage import Stage
from ..tree import Mistake, Place
from ..value import one
from .limit import row_count

COUNT = 1000


class Patterns(Stage, frozen=True, kw_only=True):
    """Messages grouped by their template."""

    name = "patterns"
    GRAMMAR = (
        "patterns: PATTERNS [patterns_limit]\n"
        'patterns_limit: _PATTERNS_LIMIT "=" INTEGER\n_PATTERNS_LIMIT.9: /limit(?=\\s*=)/i'
    )
    DOC = """The messages' patterns, the most frequent first: the message with its variable words (those with a digit)
    replaced by `<*>`, with `count`, `share`, `first_seen`, `last_seen` and an `example`.

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
        template, message, moment = (relation.field(name) for name in (TEMPLATE, "message", "timestamp"))
        if template is None or message is None or moment is None or "time" not in moment.kinds:
            raise Mistake("there are no messages here to find patterns in", self.at, "put patterns before other stages")
        time, text = moment.kinds["time"], message.kinds["text"]
        relation = relation.where(sql.sql(":t IS NOT NULL", t=template.kinds["text"]))
        found = relation.grouped({"pattern": template}, {
            "count": rows(relation.context),
            "first_seen": one("time", sql.sql("min(:t)", t=time)),
            "last_seen": one("time", sql.sql("max(:t)", t=time)),
            "example": one("text", sql.sql("arg_max(:m, :t)", m=text, t=time)),
        })  # fmt: skip
        count = found.columns["count"]
        share = one("float", sql.sql("CAST(:n AS DOUBLE) / sum(:n) OVER ()", n=count.kinds["int"]))
        names = ("pattern", "count", "share", "first_seen", "last_seen", "example")
        shown = found.with_columns({"share": share})
        shown = shown.only({name: shown.columns[name] for name in names})
        return shown.sorted_by([(shown.columns["count"], True), (shown.columns["pattern"], False)]).limited(self.limit)
