"""`sample`: some of the events, always the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from .. import printer, sql
from ..relation import Relation
from ..scope import POSITION
from ..stage import Stage
from ..tree import Mistake, Place


class Sample(Stage, frozen=True, kw_only=True):
    """Keeps a share of the events by a hash of their times and positions, so that it is the same share again."""

    name = "sample"
    GRAMMAR = "sample: SAMPLE PERCENT"
    DOC = """A part of the events, the same ones whenever it is asked: chosen by a hash of each one's time and place in
    the order of arrival. Counts, sums and rates of it are scaled up; other figures are those of the sample. The answer
    says so in a warning, and in `sampled`.

        | sample 1% | stats count() as n, avg(took) by service
        | sample 0.1% | timechart count() by service
    """
    keeps_events = True
    samples: ClassVar[bool] = True

    percent: float

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        token = children[0]
        percent = float(token.rstrip("% \t\r\n"))
        if not 0 < percent < 100:
            raise Mistake("a sample is more than 0 % and less than 100 %", Place(token.line, token.column))
        return cls(percent=percent, at=at)

    def written(self) -> str:
        return f"sample {printer.plain_number(self.percent)}%"

    def apply(self, relation: Relation) -> Relation:
        if relation.events is None:
            raise Mistake("the rows are no events here", self.at, "put sample before `fields`, stats and the like")
        moment, position = (relation.events.value(name, relation.names) for name in ("timestamp", POSITION))
        assert moment is not None
        assert position is not None
        context = relation.context
        context.warn(f"a sample of {self.percent:g} %: counts, sums and rates are scaled up")
        number = sql.call("hash", moment.kinds["time"], position.kinds["int"])
        scale = max(100 / self.percent, context.scale)  # one sample of another holds what the smaller of them holds
        is_in = sql.sql(":h < :n", h=number, n=int(self.percent / 100 * 2**64))
        return replace(relation.where(is_in), context=replace(context, scale=scale))
