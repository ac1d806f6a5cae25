"""Runs one test of a pipeline: its lines through the parsers, the events against those expected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..config import Config, Pipeline, PipelineTest
from ..core.runtime.pipeline import RunningPipeline, sample_batch
from ..core.runtime.reads import Known
from ..core.runtime.tables import tables_of
from ..core.runtime.taps import StepCounts
from ..plugins import HttpSource, Registry
from .exits import InputError
from .times import moment

_ABSENT = "nothing"


def failures(
    pipeline: Pipeline,
    case: PipelineTest,
    config: Config,
    registry: Registry,
    counts: Sequence[StepCounts] | None = None,
) -> list[str]:
    """What differs, as lines of a diff: `-` is what was expected, `+` what came out; none if the test passes.

    Fields that a test does not name may be anything; null means that the field is not there. `counts`: where the steps
    count what they see.
    """
    lines = case.input.splitlines() if isinstance(case.input, str) else case.input
    source = pipeline.from_[0] if pipeline.from_ else ""
    by_http = bool(pipeline.from_) and all(
        issubclass(config.sources[name].plugin, HttpSource) for name in pipeline.from_
    )
    batch = sample_batch(lines, by_http=by_http)
    running = RunningPipeline(pipeline, registry, counts)
    events = running.apply(batch, source, known=Known(tables_of(case.tables))).events()
    found: list[str] = []
    for number, (expected, event) in enumerate(zip(case.expect, events, strict=False), start=1):
        wrong = list(_differences(dict(_flat(expected)), event))
        found += [f"  event {number}:", *wrong] if wrong else []
    if len(case.expect) != len(events):
        found.append(f"  expected {len(case.expect)} events, {len(events)} came out")
    return found


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names, as events have them."""
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", item


def _differences(expected: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[str]:
    for name, wanted in expected.items():
        got = event.get(name)
        if not _same(name, wanted, got):
            yield f"  - {name}: {_shown(wanted)}"
            yield f"  + {name}: {_shown(got)}"


def _same(name: str, wanted: Any, got: Any) -> bool:
    if name in ("timestamp", "observed_timestamp") and isinstance(wanted, str) and isinstance(got, str):
        try:
            return moment(wanted) == moment(got)
        except InputError:
            return False
    if name == "severity" and isinstance(wanted, str) and isinstance(got, str):
        return wanted.upper() == got.upper()
    return isinstance(wanted, bool) == isinstance(got, bool) and bool(wanted == got)


def _shown(value: Any) -> str:
    return _ABSENT if value is None else json.dumps(value, ensure_ascii=False)
