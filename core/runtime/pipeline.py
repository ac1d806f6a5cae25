"""A pipeline at work: the parsers of its steps, over whole batches, in a worker thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pydantic import ValidationError

from ...config import Pipeline
from ...plugins import (
    Batch,
    Divider,
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
from .steps import Fallen, Passed, RunningStep, Settle, running, values_of
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
        self._steps = running(pipeline.parse, counts or [StepCounts.of(step) for step in pipeline.parse])

    @property
    def is_plain(self) -> bool:
        """Whether no parser runs in it."""
        return not self._steps

    @property
    def remembers(self) -> bool:
        """Whether what it does to a batch depends on those before: `Outcome.settle` must be called."""
        return any(step.remembers for step in self._steps)

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
    ) -> Outcome:
        """What becomes of a batch. `parser` is one step more, or several, before the others. Blocking.

        `watched`: those who watch see it. `known`: what its steps read besides events.

        :raises RejectedError: `parser` names no parser, or its settings are wrong
        """
        given = [parser] if isinstance(parser, Mapping) else parser or ()
        for before in map(self._ad_hoc, given):
            batch = before.run(batch).batch
        watched = watched and self._taps.count > 0
        if watched:
            self._taps.see(self.pipeline.name, 0, batch)
        entered, passed = batch, Passed(batch)
        for number, step in enumerate(self._steps, 1):
            passed = passed.then(step.run(passed.batch, known=known))
            if watched:
                self._taps.see(self.pipeline.name, number, passed.batch)
        passed = _whole(passed)
        batch = passed.batch.with_default(service=self.pipeline.service, source=source)
        if watched:
            self._taps.see(self.pipeline.name, STORE, batch)
        return Outcome(batch, entered, passed.rows, passed.fallen, passed.settle)

    def traced(self, batch: Batch, source: str, known: Known = NOTHING_KNOWN) -> list[Batch]:
        """The batch as it came, after each step, and as it would be stored. Blocking."""
        found = [batch]
        for step in self._steps:
            found.append(step.run(found[-1], letters=False, known=known).batch)
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
