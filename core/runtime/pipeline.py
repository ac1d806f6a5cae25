"""A pipeline at work: the parsers of its steps, over whole batches, in a worker thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pydantic import ValidationError

from ...config import Pipeline
from ...plugins import (
    Batch,
    Divider,
    Gathered,
    Gatherer,
    Held,
    Joiner,
    Json,
    Judge,
    Parser,
    PluginError,
    QueryError,
    Registry,
    RejectedError,
)
from .reads import NOTHING_KNOWN, Known
from .steps import Fallen, Passed, RunningStep, Seen, Settle, running, values_of
from .taps import STORE, StepCounts, Taps


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the events to be stored, and those that are dead letters."""

    batch: Batch
    entered: Batch
    """All events as the pipeline's first step saw them."""
    kept: pl.Series | None = None
    """Of which row of `entered`, by its number, each event of `batch` was made, ascending; None: one of each."""
    fallen: Sequence[Fallen] = ()
    """Rows of `entered`; each of them once, and no event of `batch` is of one of them."""
    settle: Sequence[Settle] = ()
    """To be called once: with true after the commit, with false if there will be none."""

    @property
    def left_out(self) -> int:
        """Events that steps meant not to be stored."""
        stored = len(self.batch) if self.kept is None else self.kept.n_unique()
        return len(self.entered) - stored - sum(len(fallen.rows) for fallen in self.fallen)


class RunningPipeline:
    """The steps of a pipeline, ready to run."""

    def __init__(
        self,
        pipeline: Pipeline,
        registry: Registry,
        counts: Sequence[StepCounts] | None = None,
        taps: Taps | None = None,
    ) -> None:
        """`counts`: where each step counts, and `taps` who watches; without them, nobody asks."""
        self.pipeline = pipeline
        self._registry = registry
        self._taps = taps or Taps()
        steps = running(pipeline.parse, counts or [StepCounts.of(step) for step in pipeline.parse])
        first = steps[0] if steps and isinstance(steps[0].parser, Gatherer) else None
        self._gathers, self._steps = first, steps[1:] if first else steps

    @property
    def is_plain(self) -> bool:
        """Whether no parser runs in it."""
        return not self._steps and self._gathers is None

    @property
    def timeout_ns(self) -> int | None:
        """How long its first step waits for more of an event; None: it puts no events together."""
        gatherer = self._gathers.parser if self._gathers else None
        return gatherer.timeout_ns if isinstance(gatherer, Gatherer) else None

    @property
    def remembers(self) -> bool:
        """Whether what it does to a batch depends on those before: `Outcome.settle` must be called."""
        return self._gathers is not None or any(step.remembers for step in self._steps)

    @property
    def tables(self) -> frozenset[str]:
        """The lookup tables that its steps read."""
        return frozenset().union(*(step.tables for step in self._steps))

    @property
    def by_patterns(self) -> bool:
        """Whether a step asks for the patterns that people merged."""
        return any(step.by_patterns for step in self._steps)

    def apply(
        self,
        batch: Batch,
        source: str,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        *,
        watched: bool = True,
        known: Known = NOTHING_KNOWN,
    ) -> Batch:
        """The batch as it is stored, without dead letters; see `run`."""
        return self.run(batch, source, parser, watched=watched, known=known).batch

    def run(
        self,
        batch: Batch,
        source: str,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        *,
        watched: bool = True,
        known: Known = NOTHING_KNOWN,
        gathered: bool = False,
    ) -> Outcome:
        """What becomes of a batch. `parser` is one step more, or several, before the others. Blocking.

        `watched`: those who watch see it. `known`: what its steps read besides events.
        `gathered`: the events were put together by `gather` already; otherwise those of the batch alone are.

        :raises RejectedError: `parser` names no parser, or its settings are wrong
        """
        if self._gathers is not None and not gathered:
            batch = self.gather(batch, parser, now=time.time_ns(), last=True, watched=watched).batch
        elif not gathered:
            batch = self._came(batch, parser, watched=watched)
        watched = watched and self._taps.count > 0
        entered, passed = batch, Passed(batch)
        for number, step in enumerate(self._steps, 2 if self._gathers else 1):
            passed = passed.then(step.run(passed.batch, known=known))
            if watched:
                self._taps.see(self.pipeline.name, number, passed.batch)
        passed = _whole(passed)
        batch = passed.batch.with_default(service=self.pipeline.service, source=source)
        if watched:
            self._taps.see(self.pipeline.name, STORE, batch)
        return Outcome(batch, entered, passed.rows, passed.fallen, passed.settle)

    def gather(
        self,
        batch: Batch,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        *,
        held: Held | None = None,
        now: int,
        last: bool = False,
        watched: bool = True,
    ) -> Gathered:
        """The events that its first step, which must be a `Gatherer`, puts together; see there. Blocking."""
        assert self._gathers is not None
        batch = self._came(batch, parser, watched=watched)
        found = self._gathers.gathered(held or Held(), batch, now, last=last)
        if watched and self._taps.count:
            self._taps.see(self.pipeline.name, 1, found.batch)
        return found

    def _came(
        self, batch: Batch, parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None, *, watched: bool
    ) -> Batch:
        """The batch as its first step sees it."""
        given = [parser] if isinstance(parser, Mapping) else parser or ()
        for before in map(self._ad_hoc, given):
            batch = before.run(batch).batch
        if watched and self._taps.count:
            self._taps.see(self.pipeline.name, 0, batch)
        return batch

    def traced(self, batch: Batch, source: str, known: Known = NOTHING_KNOWN, seen: Seen | None = None) -> list[Batch]:
        """The batch as it came, after each step, and as it would be stored. Blocking.

        `seen` is told of each step, also of those in branches.
        """
        found = [batch]
        if self._gathers is not None:
            found.append(self.gather(batch, now=time.time_ns(), last=True).batch)
        for step in self._steps:
            found.append(step.run(found[-1], letters=False, known=known, seen=seen).batch)
        return [*found, found[-1].with_default(service=self.pipeline.service, source=source)]

    def _ad_hoc(self, settings: Mapping[str, Json]) -> RunningStep:
        values = {name: value for name, value in settings.items() if name != "type"}
        type_ = str(settings.get("type"))
        try:
            cls = self._registry.get("parser", type_)
            parser = cls(cls.config_model.model_validate(values))
            assert isinstance(parser, Parser)
            if type(parser).keeps is not Parser.keeps or isinstance(parser, Judge):
                raise PluginError(f"{type_} leaves events out, which only a step of a pipeline file may")
            if isinstance(parser, Joiner):
                raise PluginError(f"{type_} reads lookup tables, which only a step of a pipeline file may")
            if isinstance(parser, Gatherer):
                raise PluginError(f"{type_} puts events together, which only a step of a pipeline file may")
            if isinstance(parser, Divider):
                raise PluginError(f"{type_} makes more events, which only a step of a pipeline file may")
            return RunningStep(type_, parser, values=values_of(parser))
        except PluginError as why:
            raise RejectedError(str(why)) from None
        except QueryError as why:
            raise RejectedError(f"parser {type_}: {why.pretty()}") from None
        except ValidationError as why:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors(include_url=False))
            raise RejectedError(f"parser {type_}: {wrong}") from None


def _whole(passed: Passed) -> Passed:
    """Of an event that was divided and of which a part is a dead letter, all is that one dead letter: it comes again
    as a whole."""
    if not passed.fallen or passed.rows is None:
        return passed
    seen = pl.Series([], dtype=pl.UInt32)
    fallen = []
    for one in passed.fallen:
        first = one.rows.is_first_distinct() & ~one.rows.is_in(seen.implode())
        fallen.append(Fallen(one.step, one.parser, one.rows.filter(first), one.reasons.filter(first)))
        seen = pl.concat([seen, one.rows.cast(pl.UInt32)])
    whole = ~passed.rows.is_in(seen.implode())
    return Passed(Batch(passed.batch.frame.filter(whole)), passed.rows.filter(whole), fallen, passed.settle)


def sample_batch(lines: Sequence[str], *, by_http: bool) -> Batch:
    """The lines as a source hands them over: those that take JSON themselves do so, all others give lines of text."""
    if by_http and lines and all(line.lstrip().startswith("{") for line in lines):
        return Batch.from_ndjson("\n".join(lines).encode())
    return Batch.from_lines(lines)
