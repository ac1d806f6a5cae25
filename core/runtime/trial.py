"""Lines tried: what each step of a pipeline makes of them, without a store. For `cordwood try` and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...config import Config
from ...plugins import HttpSource, Registry, RejectedError
from .pipeline import RunningPipeline, sample_batch
from .reads import NOTHING_KNOWN, Known
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
    batches = running.traced(sample_batch(lines, by_http=by_http), source, known)
    steps = [(step.type, step.when, own) for step, own in zip(pipeline.parse, counts, strict=True)]
    found: list[TriedStep] = []
    for (type_, when, own), batch in zip([("source", None, None), *steps, ("store", None, None)], batches, strict=True):
        events = batch.events()
        found.append(TriedStep(type_, when, bool(found) and events != found[-1].events, events, own))
    return found
