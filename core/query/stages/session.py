"""`session`: events of one user, host or request that follow each other closely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import literals, printer, sql
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Mistake, Name, Place
from ..value import group_key, one, present

GAP_NS = 30 * 60 * 10**9
MADE = ("start", "end", "duration", "count")


class Session(Stage, frozen=True, kw_only=True):
    """Groups rows to sessions: a row that comes later than the gap after the one before begins another."""

    name = "session"
    GRAMMAR = (
        "session: SESSION _BY names [session_gap]\n"
        'session_gap: _SESSION_GAP "=" DURATION\n_SESSION_GAP.9: /gap(?=\\s*=)/i'
    )
    DOC = """Groups events to sessions, the newest first: those with the same values of the fields, of which none comes
    more than the gap (default 30m) after the one before. Columns: the fields, `start`, `end`, `duration` and `count`.
    Events that have none of the fields are left out.

        | session by user gap=15m | where count > 3
        | session by trace_id | stats p95(duration), count()
    """

    by: tuple[Name, ...]
    gap_ns: int = GAP_NS

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        names, option = children
        if option is None:
            return cls(by=names, at=at)
        token = option.children[0]
        gap = literals.duration(str(token))
        if not gap:
            raise Mistake("a gap is longer than nothing", Place(token.line, token.column), "as in `gap=30m`")
        return cls(by=names, gap_ns=gap, at=at)

    def written(self) -> str:
        gap = f" gap={printer.duration(self.gap_ns)}" if self.gap_ns != GAP_NS else ""
        return f"session by {printer.names(self.by)}{gap}"

    def apply(self, relation: Relation) -> Relation:
        moment = relation.field("timestamp")
        if moment is None or "time" not in moment.kinds:
            raise Mistake("the rows have no timestamp here", self.at, "put session before stats, top and the like")
        for name in self.by:
            if name.name in MADE:
                raise Mistake(f"`{name.name}` is a column that session makes", name.at, "rename the field before")
        keys = {name.name: group_key(lookup(relation, name)) for name in self.by}
        relation = relation.where(sql.any_of(present(value) for value in keys.values()))
        parts = [tree for value in keys.values() for tree in value.kinds.values()]
        time = moment.kinds["time"]

        def over(tree: exp.Expression) -> exp.Expression:
            order = exp.Order(expressions=[exp.Ordered(this=time.copy())])
            return exp.Window(this=tree, partition_by=[part.copy() for part in parts] or None, order=order)

        gap = sql.sql("epoch_ns(:t) - epoch_ns(:u)", t=time, u=over(sql.call("lag", time.copy())))
        relation, begins = relation.computed(
            sql.sql("CASE WHEN :g <= :n THEN 0 ELSE 1 END", g=gap, n=self.gap_ns), "begins"
        )
        relation, number = relation.computed(over(sql.call("sum", begins)), "session")
        first, last = sql.call("min", time.copy()), sql.call("max", time.copy())
        made = relation.grouped(
            {**keys, "\0session": one("int", sql.cast(number, "BIGINT"))},
            {
                "start": one("time", first),
                "end": one("time", last),
                "duration": one("duration", sql.sql("epoch_ns(:b) - epoch_ns(:a)", a=first, b=last)),
                "count": one("int", sql.sql("count(*)")),
            },
        )
        order = [(made.columns["start"], True), *((made.columns[name], False) for name in keys)]
        return made.without(("\0session",)).sorted_by(order)
