"""`anomalies`: rows of an ordered result that leave the band in which the rows before them lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import printer, sql
from ..relation import Relation
from ..stage import Stage
from ..tree import Mistake, Name, Place
from ..value import one
from ..windows import over, partition, the_number

SENSITIVITY = 3.0
BEFORE = 60  # rows that tell what is usual
LEAST = 10  # of them there must be, to tell
IQR = 1.349  # quartiles of a normal distribution are this many standard deviations apart
LEAST_DEVIATION = ("abs(:m) / 100", "sqrt(abs(:m)), 1")  # of measured values, of counts (Poisson)


class Anomalies(Stage, frozen=True, kw_only=True):
    """Adds what was to be expected of a number by the rows before, and whether it is out of the way."""

    name = "anomalies"
    GRAMMAR = (
        "anomalies: ANOMALIES name [anomalies_sensitivity] [_BY names]\n"
        'anomalies_sensitivity: _ANOMALIES_SENSITIVITY "=" (NUMBER | INTEGER)\n'
        "_ANOMALIES_SENSITIVITY.9: /sensitivity(?=\\s*=)/i"
    )
    DOC = """Marks rows whose value leaves the usual band. Adds `expected` (the median of up to 60 rows before),
    `lower` and `upper` (`sensitivity` times the usual deviation away, default 3: less marks more), and `anomaly`,
    true outside the band; all are null while there are fewer than ten rows before. The usual deviation is that of the
    quartiles, but at least what chance alone does to a count: the root of what is expected. The series of a chart are
    kept apart; `by` keeps others apart.

        | timechart span=5m count() as n | anomalies n
        severity>=error | timechart span=1h count() as n by service | anomalies n sensitivity=5 | where anomaly
    """

    column: Name
    sensitivity: float = SENSITIVITY
    by: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        column, option, by = children
        sensitivity = SENSITIVITY
        if option is not None:
            token = option.children[0]
            sensitivity = float(token)
            if not 0 < sensitivity <= 1000:
                raise Mistake("a sensitivity is above 0, at most 1000", Place(token.line, token.column), "3 is usual")
        return cls(column=column, sensitivity=sensitivity, by=by or (), at=at)

    def written(self) -> str:
        option = f" sensitivity={printer.plain_number(self.sensitivity)}" if self.sensitivity != SENSITIVITY else ""
        return f"anomalies {printer.name(self.column)}{option}{printer.by(self.by)}"

    def apply(self, relation: Relation) -> Relation:
        kind, tree = the_number(self.column, relation, self.name)
        parts, number = partition(relation, self.by), sql.cast(tree, "DOUBLE")

        def before(function: exp.Expression) -> exp.Expression:
            window = over(function, relation, parts, self.at, BEFORE)
            window.args["spec"].set("end", exp.Literal.number(1))
            window.args["spec"].set("end_side", "PRECEDING")
            window.args["spec"].set("start", exp.Literal.number(BEFORE))
            return window

        low, middle, high = (before(sql.call("quantile_cont", number.copy(), share)) for share in (0.25, 0.5, 0.75))
        enough = sql.sql(":n >= :least", n=before(sql.call("count", number.copy())), least=LEAST)
        made = relation.with_columns({
            "\0usual": one("float", sql.sql("CASE WHEN :e THEN :m END", e=enough, m=middle)),
            "\0spread": one("float", sql.sql("(:h - :l) / :iqr", h=high, l=low, iqr=IQR)),
        })  # fmt: skip
        usual, spread = (made.columns[name].kinds["float"] for name in ("\0usual", "\0spread"))
        reach = sql.sql(f"greatest(:s, {LEAST_DEVIATION[kind == 'int']}) * :k", s=spread, m=usual, k=self.sensitivity)
        band = {
            "expected": usual,
            "lower": sql.sql(":m - :r", m=usual, r=reach),
            "upper": sql.sql(":m + :r", m=usual, r=reach),
        }
        made = made.without(("\0usual", "\0spread")).with_columns(
            {name: one("float", value) for name, value in band.items()}
        )
        lower, upper = (made.columns[name].kinds["float"] for name in ("lower", "upper"))
        outside = sql.sql(":x < :l OR :x > :u", x=number, l=lower, u=upper)
        return made.with_columns({"anomaly": one("bool", outside)})
