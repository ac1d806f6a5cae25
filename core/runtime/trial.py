"""Lines tried: what each step of a pipeline makes of them, without a store. For `cordwood try` and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ...config import Config, Step
from ...plugins import Batch, HttpSource, Registry, RejectedError
from .pipeline import RunningPipeline, sample_batch
from .reads import NOTHING_KNOWN, Known
from .steps import RunningStep
from .taps import StepCounts

MOST_LINES: Final = 100
MOST_CHARACTERS: Final = 100_000  # of all lines together


@dataclass(frozen=True, slots=True)
class TriedStep:
    """The events after a step."""

    type: str
    """The parser; `source`: as they came, `store`: as they are stored."""
    when: str | None
    changed: bool
    events: list[dict[str, Any]]
    counts: StepCounts | None
    """What the step has counted; None beside `source` and `store`."""
    branches: tuple[TriedBranch, ...] = ()
    """Of a route."""
    before: list[dict[str, Any]] | None = None
    """Of a step in a branch: the events that came to it."""


@dataclass(frozen=True, slots=True)
class TriedBranch:
    """A branch of a route, with its steps, without those that no event came to."""

    when: str | None
    steps: tuple[TriedStep, ...]


def tried(
    config: Config,
    registry: Registry,
    name: str,
    lines: Sequence[str],
    source: str = "",
    known: Known = NOTHING_KNOWN,
) -> list[TriedStep]:
    """The lines as they came to a pipeline, after each of its steps, and as they would be stored. Blocking.

    :param source: which of the pipeline's sources they come from; not given: its first.
    :param known: what its steps may read besides events
    :raises RejectedError: there are too many of them, or the source is none of the pipeline's
    """
    pipeline = config.pipelines[name]
    if len(lines) > MOST_LINES or sum(map(len, lines)) > MOST_CHARACTERS:
        said = f"{MOST_LINES} lines, and {MOST_CHARACTERS} characters of them together"
        raise RejectedError(f"too much to try: use at most {said}")
    if source and source not in pipeline.from_:
        raise RejectedError(f"{source[:60]!r} is no source of {name}: use one of {list(pipeline.from_)}")
    source = source or next(iter(pipeline.from_), "")
    by_http = source in config.sources and issubclass(config.sources[source].plugin, HttpSource)
    counts = [StepCounts.of(step) for step in pipeline.parse]
    running = RunningPipeline(pipeline, registry, counts)
    passed: _Seen = {}

    def seen(step: RunningStep, before: Batch, after: Batch) -> None:
        passed[id(step.counts)] = before, after

    batches = running.traced(sample_batch(lines, by_http=by_http), source, known, seen)
    steps = [(step.type, step.when, step, own) for step, own in zip(pipeline.parse, counts, strict=True)]
    edges = [("source", None, None, None), *steps, ("store", None, None, None)]
    found: list[TriedStep] = []
    for (type_, when, step, own), batch in zip(edges, batches, strict=True):
        events = batch.events()
        changed = bool(found) and events != found[-1].events
        found.append(TriedStep(type_, when, changed, events, own, _branches(step, own, passed)))
    return found


_Seen: TypeAlias = dict[int, tuple[Batch, Batch]]
"""What came to a step and what it left, by its counts."""


def _branches(step: Step | None, counts: StepCounts | None, passed: _Seen) -> tuple[TriedBranch, ...]:
    """What the steps of a route's branches did."""
    if step is None or counts is None:
        return ()
    return tuple(
        TriedBranch(
            branch.when,
            tuple(
                _within(inner, own, *passed[id(own)], passed)
                for inner, own in zip(branch.parse, its.steps, strict=True)
                if id(own) in passed
            ),
        )
        for branch, its in zip(step.branches, counts.branches, strict=True)
    )


def _within(step: Step, counts: StepCounts, before: Batch, after: Batch, passed: _Seen) -> TriedStep:
    came, left = before.events(), after.events()
    return TriedStep(step.type, step.when, came != left, left, counts, _branches(step, counts, passed), came)
