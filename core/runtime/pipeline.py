"""A pipeline at work: the parsers of its steps, over whole batches, in a worker thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from ...config import Pipeline, Step
from ...plugins import Batch, Json, Parser, PluginError, Registry, RejectedError, concat
from .taps import STORE, StepCounts, Taps

if TYPE_CHECKING:
    from ..query import BatchFilter

_ORDER = "\0order"  # a NUL is in no field's name
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fallen:
    """Rows that a step could not read, by their numbers in the batch that entered the pipeline, with the reasons."""

    step: int
    """Its number, from 1."""
    parser: str
    rows: pl.Series
    reasons: pl.Series


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the events to be stored, and those that are dead letters."""

    batch: Batch
    entered: Batch
    """All events as the pipeline's first step saw them."""
    kept: pl.Series | None = None
    """Numbers of the rows of `entered` that are in `batch`, ascending; None: all."""
    fallen: Sequence[Fallen] = ()

    @property
    def left_out(self) -> int:
        """Events that steps meant not to be stored."""
        return len(self.entered) - len(self.batch) - sum(len(fallen.rows) for fallen in self.fallen)


@dataclass(frozen=True, slots=True)
class RunningStep:
    """A parser and the search that chooses its events. `dead_letter`: what it cannot read is not stored as it came."""

    type: str
    parser: Parser[Any]
    when: BatchFilter | None
    dead_letter: bool = False
    counts: StepCounts = field(default_factory=StepCounts)

    @classmethod
    def of(cls, step: Step, counts: StepCounts | None = None) -> RunningStep:
        """Make the parser and compile the search.

        :raises QueryError: `when` is wrong
        """
        from ..query import BatchFilter

        when = BatchFilter(step.when) if step.when else None
        return cls(step.type, step.make(), when, step.on_error == "dead_letter", counts or StepCounts())

    def apply(self, batch: Batch) -> Batch:
        """The batch after this step: same rows, same order; events that `when` leaves out stay as they are."""
        if self.when is None:
            return self._parse(batch)
        chosen = self.when.mask(batch)
        if not chosen.any():
            return batch
        rows = pl.Series(_ORDER, range(len(batch)), dtype=pl.UInt32)
        parsed = self._parse(Batch(batch.frame.filter(chosen)))
        parts = [parsed, Batch(batch.frame.filter(~chosen))]
        order = pl.concat([rows.filter(chosen), rows.filter(~chosen)])
        return Batch(concat(parts).frame.with_columns(order).sort(_ORDER).drop(_ORDER))

    def keeps(self, batch: Batch) -> pl.Series | None:
        """Which of the step's events go on; None: all. A parser that fails here keeps them."""
        if type(self.parser).keeps is Parser.keeps or not len(batch):
            return None
        chosen = pl.repeat(value=True, n=len(batch), eager=True) if self.when is None else self.when.mask(batch)
        try:
            kept = self.parser.keeps(Batch(batch.frame.filter(chosen)))
            if kept is None:
                return None
            stays = ~chosen
            stays[chosen.arg_true()] = kept.cast(pl.Boolean).fill_null(value=True)
        except Exception:  # as with `parse`: a plugin's defect must not cost an event
            _log.exception("parser %s could not say which of %d events it keeps; all are kept", self.type, len(batch))
            return None
        return stays

    def _parse(self, batch: Batch) -> Batch:
        if not len(batch):
            return batch
        started, wrong = time.perf_counter(), _wrong(batch)
        parsed = self._parsed(batch)
        self.counts.add(len(batch), max(0, _wrong(parsed) - wrong), time.perf_counter() - started)
        return parsed

    def _parsed(self, batch: Batch) -> Batch:
        try:
            parsed = Batch.of(self.parser.parse(batch).frame)
        except Exception as why:  # a plugin's defect, whatever it raises, must not cost an event
            _log.exception(
                "parser %s failed on a batch of %d events; they are kept as they came", self.type, len(batch)
            )
            return _marked(batch, f"{self.type}: {type(why).__name__}: {why}")
        if len(parsed) != len(batch):
            _log.error("parser %s made %d events of %d; they are kept as they came", self.type, len(parsed), len(batch))
            return _marked(batch, f"{self.type}: made {len(parsed)} events of {len(batch)}")
        return parsed


def _wrong(batch: Batch) -> int:
    """How many events have a `parse_error`."""
    return len(batch) - batch.frame["parse_error"].null_count()


def _marked(batch: Batch, error: str) -> Batch:
    kept = pl.coalesce("parse_error", pl.lit(error[:500]))
    return Batch(batch.frame.with_columns(parse_error=kept))


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
        counted = counts or [StepCounts() for _ in pipeline.parse]
        self._steps: Sequence[RunningStep] = [
            RunningStep.of(step, own) for step, own in zip(pipeline.parse, counted, strict=True)
        ]

    @property
    def is_plain(self) -> bool:
        """Whether no parser runs in it."""
        return not self._steps

    def apply(
        self,
        batch: Batch,
        source: str,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        *,
        watched: bool = True,
    ) -> Batch:
        """The batch as it is stored, without dead letters; see `run`."""
        return self.run(batch, source, parser, watched=watched).batch

    def run(
        self,
        batch: Batch,
        source: str,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        *,
        watched: bool = True,
    ) -> Outcome:
        """What becomes of a batch. `parser` is one step more, or several, before the others. Blocking.

        `watched`: those who watch see it.

        :raises RejectedError: `parser` names no parser, or its settings are wrong
        """
        given = [parser] if isinstance(parser, Mapping) else parser or ()
        for before in map(self._ad_hoc, given):
            batch = before.apply(batch)
        watched = watched and self._taps.count > 0
        if watched:
            self._taps.see(self.pipeline.name, 0, batch)
        entered, kept, fallen = batch, None, []
        for number, step in enumerate(self._steps, 1):
            errors = batch.frame["parse_error"]
            stays = step.keeps(batch)
            batch = step.apply(batch)
            if stays is not None or step.dead_letter:
                reasons = batch.frame["parse_error"]
                failed = reasons.is_not_null() & errors.is_null() & step.dead_letter
                leaves = failed if stays is None else failed | ~stays
                if leaves.any():
                    rows = pl.Series(range(len(entered)), dtype=pl.UInt32) if kept is None else kept
                    if failed.any():
                        fallen.append(Fallen(number, step.type, rows.filter(failed), reasons.filter(failed)))
                    kept = rows.filter(~leaves)
                    batch = Batch(batch.frame.filter(~leaves))
            if watched:
                self._taps.see(self.pipeline.name, number, batch)
        batch = batch.with_default(service=self.pipeline.service, source=source)
        if watched:
            self._taps.see(self.pipeline.name, STORE, batch)
        return Outcome(batch, entered, kept, fallen)

    def traced(self, batch: Batch, source: str) -> list[Batch]:
        """The batch as it came, after each step, and as it would be stored. Blocking."""
        found = [batch]
        for step in self._steps:
            stays, after = step.keeps(found[-1]), step.apply(found[-1])
            found.append(after if stays is None else Batch(after.frame.filter(stays)))
        return [*found, found[-1].with_default(service=self.pipeline.service, source=source)]

    def _ad_hoc(self, settings: Mapping[str, Json]) -> RunningStep:
        values = {name: value for name, value in settings.items() if name != "type"}
        type_ = str(settings.get("type"))
        try:
            cls = self._registry.get("parser", type_)
            parser = cls(cls.config_model.model_validate(values))
            assert isinstance(parser, Parser)
            if type(parser).keeps is not Parser.keeps:
                raise PluginError(f"{type_} leaves events out, which only a step of a pipeline file may")
            return RunningStep(type_, parser, None)
        except PluginError as why:
            raise RejectedError(str(why)) from None
        except ValidationError as why:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors(include_url=False))
            raise RejectedError(f"parser {type_}: {wrong}") from None


def sample_batch(lines: Sequence[str], *, by_http: bool) -> Batch:
    """The lines as a source hands them over: those that take JSON themselves do so, all others give lines of text."""
    if by_http and lines and all(line.lstrip().startswith("{") for line in lines):
        return Batch.from_ndjson("\n".join(lines).encode())
    return Batch.from_lines(lines)
