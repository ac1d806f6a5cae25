"""Sessions or windows whose messages are unlike those of the others: too many, missing, new, or in another order.

    blocks: {type: log_anomaly, query: "service:hdfs", session: [block], gap: 2m, notify: [oncall]}
    quiet: {type: log_anomaly, query: "service:api", by: [host], bin: 5m}

What is usual is learned from the messages themselves, by machine learning. No rule says what is wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

import msgspec
from pydantic import Field, model_validator

from ...plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Duration,
    Finding,
    Json,
    check_answers_events,
    duration_ns,
    group_words,
    hookimpl,
    in_worker,
    quoted_field,
)
from ..series.memory import maker, pack, unpack
from ..series.reading import group_of
from .model import OTHER, Model, State, Strange
from .reading import Reader
from .units import Bounds, Openings, Row, Unit

SECOND = 1_000_000_000
MOST_GROUPS = 10  # each has a model of up to a megabyte
MOST_RECENT = 500  # strange units that are remembered while they lie in the window
TOLD = 5  # strange units of a group that its incident names
_SHOWN = 120  # characters of a kind in a title
_log = logging.getLogger(__name__)


class LogAnomalyConfig(DetectorConfig):
    """Settings of the log_anomaly detector."""

    query: str = "*"
    """A search for the events whose messages are looked at."""
    by: Annotated[list[str], Field(max_length=8)] = Field(default_factory=list)
    """Fields whose values have a model and an incident each; none: one for all.
    Groups beyond the first 10 are left out."""
    session: Annotated[list[str], Field(max_length=4)] = Field(default_factory=list)
    """Fields that tell one run of something from the next: a request, a job, a block. None: windows of a `bin` each."""
    gap: Duration = "2m"
    """A session is over when nothing came for so long."""
    longest: Duration = "1h"
    """A session that lasts longer is over then; what comes later is another."""
    bin: Duration = "5m"
    """The length of a window, where there is no `session`."""
    learning: Duration = "1d"
    """For how long what comes is only learned, counted from the first event that the search finds; it looks back as far
    when it begins."""
    sensitivity: Annotated[float, Field(gt=0, le=20)] = 1.0
    """How strange it must be, as a multiple of the bound that most stay below. Less finds more."""
    window: Duration = "10m"
    """For how long a strange session or window is trouble, counted from its last event."""
    resolve_after: Duration | None = "0s"
    """How long a group must have been well before its incident is resolved; at once if not set."""

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        name = "gap" if self.session else "bin"
        span, least = getattr(self, name), duration_ns(self.width)
        if least < SECOND or least > 86_400 * SECOND or least % SECOND:
            raise ValueError(f"{name} {span} must be whole seconds, between 1s and 1d")
        if duration_ns(self.window) < least + duration_ns(self.every):
            raise ValueError(f"window {self.window} is too short; use `{name}` and `every`, {span} and {self.every}")
        if self.session and duration_ns(self.longest) < least:
            raise ValueError(f"longest {self.longest} is shorter than the gap, {self.gap}")
        return self

    @property
    def width(self) -> str:
        """The bins in which the events are counted."""
        return self.gap if self.session else self.bin


class Kept(msgspec.Struct, array_like=True):
    """What is kept: all as of `until_ns`, before which late events count no more."""

    made_by: str
    until_ns: int
    begun_ns: int | None
    """When the first event was that it found."""
    models: dict[str, State]
    open: list[Unit]
    recent: list[tuple[int, str, str, int, Strange]]
    """Strange units that lie in the window: (last time, group, session, first time, why)."""


class LogAnomaly(Detector[LogAnomalyConfig]):
    """Sessions or windows with messages unlike the others': too many, missing, new, or in an order that is rare."""

    version: ClassVar[int] = 1
    """Of what is kept: another one is learned anew."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each group with a strange session, or window, that ended in the window before `run.at_ns`.

        :raises QueryError: the query is wrong, aggregates, or finds too much
        """
        config, bin_ns = self.config, duration_ns(self.config.width)
        check_answers_events(run, self.type, config.query)
        kept = self._begun(run)
        end = run.at_ns // bin_ns * bin_ns
        settled = min(end, (run.at_ns - duration_ns(config.grace)) // bin_ns * bin_ns)
        came, rows = await Reader(config.query, config.by, config.session, bin_ns).read(run, kept.until_ns, end)
        learning = Learning(config, kept)
        at = max(kept.until_ns, min(settled, came))
        if at > kept.until_ns:
            await in_worker(learning.learn, [row for row in rows if row.bin_ns < at], at)
            run.keep(await in_worker(pack, learning.kept()))
        if came < end:
            return []  # it has not read all of the past yet: the next run goes on
        rest = [row for row in rows if row.bin_ns >= at]
        strange = await in_worker(learning.strange, rest, end, run.at_ns - duration_ns(config.window))
        return [self._finding(run, group, found) for group, found in strange.items()]

    def _begun(self, run: DetectorRun) -> Kept:
        """What was learned so far, or a beginning: a little more than `learning` back."""
        config, bin_ns = self.config, duration_ns(self.config.width)
        back_ns = duration_ns(config.learning) * 25 // 24 + bin_ns
        made_by = maker(self.type, self.version, config)
        kept = unpack(run.learned, made_by, Kept)
        if isinstance(kept, Kept) and not run.at_ns - back_ns - duration_ns(config.grace) <= kept.until_ns <= run.at_ns:
            kept = "what it learned is of another time: the clock was set, or it did not run for long"
        if isinstance(kept, Kept):
            return kept
        if kept is not None:
            _log.warning("detector %s: %s; it learns anew", run.name, kept)
        return Kept(made_by, (run.at_ns - back_ns) // bin_ns * bin_ns, None, {}, [], [])

    def _finding(self, run: DetectorRun, key: str, found: Sequence[tuple[int, str, str, int, Strange]]) -> Finding:
        config = self.config
        group = group_of(config.by, key)
        worst = sorted(found, key=lambda one: (-one[4].score, one[0], one[2]))
        _, _, name, first_ns, why = worst[0]
        names = ", ".join(map(quoted_field, [*config.by, *config.session]))
        search = config.query.strip() or "*"
        one = group | group_of(config.session, name) if name else group
        what = f"{len(found)} strange {'session' if config.session else 'window'}{'s' if len(found) > 1 else ''}"
        where = group_words(group)
        values: dict[str, Json] = {
            "strange": len(found),
            "score": round(why.score, 2),
            **_reasons(why),
            "units": [_told(config.session, *unit[2:]) for unit in worst[:TOLD]],
            "at": _time(first_ns),
        }
        sample = run.sample_query(f"{search} | stats count() as n by {names}" if names else search, one)
        shown = [*why.new, *(kind for kind, _, _ in why.too_many)]
        if not name and shown and shown[0] != OTHER:
            sample = run.sample_query(f"{sample} | patterns", {"pattern": shown[0]})
        title = f"{run.name}: {what}{f' for {where}' if where else ''}: {_headline(why)}"
        return Finding(group=group, title=title, values=values, sample_query=sample)


class Learning:
    """The models of a detector as of one moment."""

    def __init__(self, config: LogAnomalyConfig, kept: Kept) -> None:
        self._config, self._made_by = config, kept.made_by
        gap_ns = duration_ns(config.gap) if config.session else 0
        longest_ns = duration_ns(config.longest if config.session else config.bin)
        self._learning_ns, self._window_ns = duration_ns(config.learning), duration_ns(config.window)
        self._until_ns, self._begun_ns = kept.until_ns, kept.begun_ns
        self._open = Openings(Bounds(gap_ns, longest_ns), kept.open)
        self._models = {
            group: Model(state, bool(config.session), config.sensitivity) for group, state in kept.models.items()
        }
        self._recent = list(kept.recent)

    def learn(self, rows: Sequence[Row], until_ns: int) -> None:
        """Take the rows up to `until_ns` for settled."""
        self._recent += self._steps(self._open.add(rows, until_ns))
        self._until_ns = until_ns
        self._recent = [one for one in self._recent if one[0] > until_ns - self._window_ns][-MOST_RECENT:]

    def strange(
        self, rows: Sequence[Row], end_ns: int, oldest_ns: int
    ) -> dict[str, list[tuple[int, str, str, int, Strange]]]:
        """The strange units of each group that end at `oldest_ns` or later. Nothing of it is to be kept."""
        over = self._open.copy().add(rows, end_ns)
        if over:
            self._models = {group: model.copy() for group, model in self._models.items()}
        found: dict[str, list[tuple[int, str, str, int, Strange]]] = {}
        for one in [*self._recent, *self._steps(over)]:
            if one[0] >= oldest_ns:
                found.setdefault(one[1], []).append(one)
        return found

    def kept(self) -> Kept:
        """What to keep."""
        models = {group: model.state for group, model in self._models.items()}
        return Kept(self._made_by, self._until_ns, self._begun_ns, models, self._open.units(), self._recent)

    def _steps(self, units: Sequence[Unit]) -> list[tuple[int, str, str, int, Strange]]:
        """Judge and learn units that are over."""
        found = []
        for unit in units:
            if self._begun_ns is None:
                self._begun_ns = unit.first_ns
            model = self._models.get(unit.group)
            if model is None:
                if len(self._models) >= MOST_GROUPS:
                    continue
                model = self._models[unit.group] = Model(State(), bool(self._config.session), self._config.sensitivity)
            why = model.step(unit)
            if why is not None and unit.last_ns >= self._begun_ns + self._learning_ns:
                found.append((unit.last_ns, unit.group, unit.name, unit.first_ns, why))
        return found


def _reasons(why: Strange) -> dict[str, Json]:
    """The reasons as an incident's values."""
    said: dict[str, Json] = {}
    if why.new:
        said["new"] = list(why.new)
    for name, kinds in (("too_many", why.too_many), ("missing", why.missing)):
        if kinds:
            said[name] = [{"pattern": kind, "count": count, "usual": usual} for kind, count, usual in kinds]
    if why.unlikely is not None:
        before, kind, rate = why.unlikely
        said["unlikely"] = {"after": before or "(begin)", "came": kind or "(end)", "rate": float(f"{rate:.2g}")}
    return said


def _told(session: Sequence[str], name: str, first_ns: int, why: Strange) -> Json:
    return {**(group_of(session, name) if name else {}), "begin": _time(first_ns), "score": round(why.score, 2)}


def _time(ns: int) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _headline(why: Strange) -> str:
    """The first reason in a few words."""
    if why.new:
        return f"new: {_short(why.new[0])}"
    if why.unlikely is not None:
        before, kind, _ = why.unlikely
        return f"{_short(kind) or 'the end'} after {_short(before) or 'the begin'} is rare"
    for words, kinds in (("too many", why.too_many), ("too few", why.missing)):
        if kinds:
            kind, count, usual = kinds[0]
            return f"{words}: {count} of {_short(kind)}, {usual:g} usual"
    return "its counts together are unusual"


def _short(kind: str) -> str:
    return kind if len(kind) <= _SHOWN else f"{kind[:_SHOWN]}…"


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [LogAnomaly]
