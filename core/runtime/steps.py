"""A step of a pipeline at work: what becomes of a batch, of which event each of its events was made, and who waits to
hear whether they were committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl

from ...config import Branch, Step
from ...plugins import (
    Batch,
    Computer,
    Divider,
    Gathered,
    Gatherer,
    Held,
    Joiner,
    Judge,
    Parser,
    PatternJudge,
    concat,
)
from .reads import NOTHING_KNOWN, Known
from .taps import BranchCounts, StepCounts

if TYPE_CHECKING:
    from ..query import BatchFilter, BatchValues

Settle = Callable[[bool], None]
Seen = Callable[["RunningStep", Batch, Batch], None]
"""Is told of each step that runs, also of those in branches: what came to it, and what it left."""
_ORDER = "\0order"  # a NUL is in no field's name
_NUMBER = pl.UInt32
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fallen:
    """Rows that a step could not read, by their numbers in the batch that came, with the reasons."""

    step: int
    """Its number, from 1; of one within a route, the route's."""
    parser: str
    rows: pl.Series
    reasons: pl.Series


@dataclass(frozen=True, slots=True)
class Passed:
    """A batch after a step, or after several."""

    batch: Batch
    rows: pl.Series | None = None
    """Of which event that came each one was made, ascending; None: one of each, all of them."""
    fallen: Sequence[Fallen] = ()
    settle: Sequence[Settle] = ()
    """To be called when the batch is committed, or will not be."""

    def origin(self, rows: pl.Series) -> pl.Series:
        """The numbers that rows of this batch had when they came."""
        return rows if self.rows is None else self.rows.gather(rows)

    def then(self, after: Passed) -> Passed:
        """This, and what became of its batch."""
        rows = self.rows if after.rows is None else self.origin(after.rows)
        fallen = [Fallen(one.step, one.parser, self.origin(one.rows), one.reasons) for one in after.fallen]
        return Passed(after.batch, rows, [*self.fallen, *fallen], [*self.settle, *after.settle])


@dataclass(frozen=True, slots=True)
class RunningBranch:
    """Steps of a route for the events that a search finds; None: for all that are left."""

    when: BatchFilter | None
    steps: Sequence[RunningStep]
    counts: BranchCounts

    @classmethod
    def of(cls, branch: Branch, number: int, counts: BranchCounts) -> RunningBranch:
        """Make the parsers and compile the searches.

        :raises QueryError: a `when` is wrong
        """
        return cls(_filter(branch.when), running(branch.parse, counts.steps, number), counts)


@dataclass(frozen=True, slots=True)
class RunningStep:
    """A parser and the search that chooses its events. `dead_letter`: what it cannot read is not stored as it came."""

    type: str
    parser: Parser[Any]
    when: BatchFilter | None = None
    dead_letter: bool = False
    counts: StepCounts = field(default_factory=StepCounts)
    number: int = 0
    branches: Sequence[RunningBranch] = ()
    values: BatchValues | None = None
    """Of the parser's expressions, where it has some."""

    @classmethod
    def of(cls, step: Step, counts: StepCounts, number: int) -> RunningStep:
        """Make the parser and compile the search.

        :raises QueryError: `when` is wrong, or an expression
        """
        branches = [
            RunningBranch.of(branch, number, own) for branch, own in zip(step.branches, counts.branches, strict=True)
        ]
        dead = step.on_error == "dead_letter"
        parser = step.make()
        values = values_of(parser)
        return cls(step.type, parser, _filter(step.when), dead, counts, number, branches, values)

    @property
    def remembers(self) -> bool:
        """Whether what it does depends on the batches before."""
        inner = chain.from_iterable(branch.steps for branch in self.branches)
        return isinstance(self.parser, Judge) or any(step.remembers for step in inner)

    @property
    def tables(self) -> frozenset[str]:
        """The lookup tables that it reads, or the steps of its branches do."""
        inner = (step.tables for branch in self.branches for step in branch.steps)
        return frozenset(self.parser.tables if isinstance(self.parser, Joiner) else ()).union(*inner)

    @property
    def by_patterns(self) -> bool:
        """Whether it asks for the patterns that people merged, or a step of its branches does."""
        inner = chain.from_iterable(branch.steps for branch in self.branches)
        return isinstance(self.parser, PatternJudge) or any(step.by_patterns for step in inner)

    def run(
        self,
        batch: Batch,
        *,
        letters: bool = True,
        known: Known = NOTHING_KNOWN,
        seen: Seen | None = None,
    ) -> Passed:
        """The batch after this step; events that `when` leaves out stay as they are.

        :param letters: whether what it cannot read leaves the batch, where the step says so
        :param known: what it reads besides the events
        """
        if not len(batch):
            return Passed(batch)
        passed = self._chosen(batch, letters, known, seen)
        if seen is not None:
            seen(self, batch, passed.batch)
        return passed

    def _chosen(self, batch: Batch, letters: bool, known: Known, seen: Seen | None) -> Passed:
        """The events that `when` finds after this step, among the others."""
        if self.when is None:
            return self._run(batch, letters, known, seen)
        chosen = self.when.mask(batch)
        self.counts.pass_by(len(batch) - int(chosen.sum()))
        if not chosen.any():
            return Passed(batch)
        mine = self._run(Batch(batch.frame.filter(chosen)), letters, known, seen)
        return _joined(batch, [(chosen, mine), (~chosen, Passed(Batch(batch.frame.filter(~chosen))))])

    def gathered(self, held: Held, batch: Batch, now: int, *, last: bool) -> Gathered:
        """What a `Gatherer` puts together. A plugin's defect must not cost an event."""
        assert isinstance(self.parser, Gatherer)
        started = time.perf_counter()
        try:
            made = self.parser.gather(held, batch, now, last=last)
            found = Gathered(
                Batch.of(made.batch.frame), Held(Batch.of(made.held.batch.frame), made.held.parts, made.held.at)
            )
        except Exception as why:
            _log.exception(
                "parser %s failed on a batch of %d events; they are kept as they came", self.type, len(batch)
            )
            every = concat([held.batch, batch])
            found = Gathered(_marked(every, f"{self.type}: {type(why).__name__}: {why}"), Held())
        failed = int(found.batch.frame["parse_error"].is_not_null().sum()) - int(
            batch.frame["parse_error"].is_not_null().sum()
        )
        self.counts.add(len(batch), max(0, failed), time.perf_counter() - started, 0)
        return found

    def _run(self, batch: Batch, letters: bool, known: Known, seen: Seen | None) -> Passed:
        if self.branches:
            return self._routed(batch, letters, known, seen)
        started = time.perf_counter()
        passed = self._applied(batch, known)
        before, after = batch.frame["parse_error"], passed.batch.frame["parse_error"]
        came = before if passed.rows is None else before.gather(passed.rows)
        failed = after.is_not_null() & came.is_null()
        left_out = 0 if passed.rows is None else len(batch) - passed.rows.n_unique()
        self.counts.add(len(batch), int(failed.sum()), time.perf_counter() - started, left_out)
        if letters and self.dead_letter and failed.any():
            return self._without(passed, failed, after)
        return passed

    def _without(self, passed: Passed, failed: pl.Series, reasons: pl.Series) -> Passed:
        """What is left where some could not be read."""
        numbers = pl.Series(range(len(failed)), dtype=_NUMBER)
        fallen = Fallen(self.number, self.type, passed.origin(numbers.filter(failed)), reasons.filter(failed))
        left = Batch(passed.batch.frame.filter(~failed))
        return Passed(left, passed.origin(numbers.filter(~failed)), [fallen], passed.settle)

    def _routed(self, batch: Batch, letters: bool, known: Known, seen: Seen | None) -> Passed:
        """Each event through the steps of the first branch that finds it; those that none finds stay as they are."""
        started = time.perf_counter()
        left = pl.repeat(value=True, n=len(batch), eager=True)
        parts: list[tuple[pl.Series, Passed]] = []
        for branch in self.branches:
            chosen = left if branch.when is None else branch.when.mask(batch) & left
            left = left & ~chosen
            if chosen.any():
                mine = Batch(batch.frame.filter(chosen))
                branch.counts.add(len(mine))
                parts.append((chosen, run_all(branch.steps, mine, letters=letters, known=known, seen=seen)))
        if left.any():
            parts.append((left, Passed(Batch(batch.frame.filter(left)))))
        joined = _joined(batch, parts)
        self.counts.add(len(batch), sum(len(one.rows) for one in joined.fallen), time.perf_counter() - started, 0)
        return joined

    def _applied(self, batch: Batch, known: Known) -> Passed:
        """What the parser makes of the batch. A plugin's defect, whatever it raises, must not cost an event."""
        try:
            if isinstance(self.parser, Judge):
                return self._judged(batch, known)
            if isinstance(self.parser, Divider):
                return self._divided(batch)
            parsed = Batch.of(self._parsed(batch, known).frame)
        except Exception as why:
            _log.exception(
                "parser %s failed on a batch of %d events; they are kept as they came", self.type, len(batch)
            )
            return Passed(_marked(batch, f"{self.type}: {type(why).__name__}: {why}"))
        if len(parsed) != len(batch):
            return self._refused(batch, len(parsed))
        stays = self._keeps(batch)
        if stays is None or stays.all():
            return Passed(parsed)
        return Passed(Batch(parsed.frame.filter(stays)), stays.arg_true())

    def _parsed(self, batch: Batch, known: Known) -> Batch:
        if isinstance(self.parser, Joiner):
            return self.parser.join(batch, known.tables)
        if isinstance(self.parser, Computer) and self.values is not None:
            return self.parser.put(batch, self.values.of(batch))
        return self.parser.parse(batch)

    def _judged(self, batch: Batch, known: Known) -> Passed:
        assert isinstance(self.parser, Judge)
        if isinstance(self.parser, PatternJudge):
            judged = self.parser.judge_patterns(batch, known.merged)
        else:
            judged = self.parser.judge(batch)
        made = Batch.of(judged.batch.frame)
        if len(made) != len(batch) or len(judged.keeps) != len(batch):
            judged.settle(False)
            return self._refused(batch, len(made))
        if judged.keeps.all():
            return Passed(made, settle=[judged.settle])
        return Passed(Batch(made.frame.filter(judged.keeps)), judged.keeps.arg_true(), settle=[judged.settle])

    def _divided(self, batch: Batch) -> Passed:
        assert isinstance(self.parser, Divider)
        divided = self.parser.divide(batch)
        made, rows = Batch.of(divided.batch.frame), divided.rows.cast(_NUMBER)
        complete = rows.is_sorted() and rows.n_unique() == len(batch) and rows.max() == len(batch) - 1
        if len(made) != len(rows) or not complete:
            return self._refused(batch, len(made))
        return Passed(made, None if len(made) == len(batch) else rows)

    def _refused(self, batch: Batch, made: int) -> Passed:
        _log.error("parser %s made %d events of %d; they are kept as they came", self.type, made, len(batch))
        return Passed(_marked(batch, f"{self.type}: made {made} events of {len(batch)}"))

    def _keeps(self, batch: Batch) -> pl.Series | None:
        """Which of the step's events go on; None: all. A parser that fails here keeps them."""
        if type(self.parser).keeps is Parser.keeps:
            return None
        try:
            kept = self.parser.keeps(batch)
            if kept is not None and len(kept) != len(batch):
                raise ValueError(f"it says so of {len(kept)}")
            return None if kept is None else kept.cast(pl.Boolean).fill_null(value=True)
        except Exception:
            _log.exception("parser %s could not say which of %d events it keeps; all are kept", self.type, len(batch))
            return None


def running(steps: Sequence[Step], counts: Sequence[StepCounts], within: int = 0) -> list[RunningStep]:
    """The steps, ready to run. `within`: the number of the route that they are in.

    :raises QueryError: a `when` is wrong
    """
    numbered = enumerate(zip(steps, counts, strict=True), 1)
    return [RunningStep.of(step, own, within or number) for number, (step, own) in numbered]


def run_all(
    steps: Sequence[RunningStep],
    batch: Batch,
    *,
    letters: bool,
    known: Known = NOTHING_KNOWN,
    seen: Seen | None = None,
) -> Passed:
    """The batch after all steps."""
    passed = Passed(batch)
    for step in steps:
        passed = passed.then(step.run(passed.batch, letters=letters, known=known, seen=seen))
    return passed


def _joined(batch: Batch, parts: Sequence[tuple[pl.Series, Passed]]) -> Passed:
    """What became of parts of a batch, each with a Boolean for its rows, as one, in the order of the batch."""
    if len(parts) == 1:
        return parts[0][1]
    whole = [Passed(batch, chosen.arg_true()).then(passed) for chosen, passed in parts]
    rows = pl.concat([passed.rows.cast(_NUMBER) for passed in whole if passed.rows is not None])
    frame = concat([passed.batch for passed in whole]).frame.with_columns(rows.alias(_ORDER))
    ordered = frame.sort(_ORDER, maintain_order=True)
    numbers = ordered[_ORDER]
    complete = len(numbers) == len(batch) and numbers.n_unique() == len(batch)
    fallen = [one for passed in whole for one in passed.fallen]
    settle = [one for passed in whole for one in passed.settle]
    return Passed(Batch(ordered.drop(_ORDER)), None if complete else numbers, fallen, settle)


def values_of(parser: Parser[Any]) -> BatchValues | None:
    """What computes the parser's expressions, where it has some.

    :raises QueryError: one is wrong
    """
    from ..query import BatchValues

    expressions = parser.expressions if isinstance(parser, Computer) else {}
    return BatchValues(expressions) if expressions else None


def _filter(when: str | None) -> BatchFilter | None:
    from ..query import BatchFilter

    return BatchFilter(when) if when else None


def _marked(batch: Batch, error: str) -> Batch:
    kept = pl.coalesce("parse_error", pl.lit(error[:500]))
    return Batch(batch.frame.with_columns(parse_error=kept))
