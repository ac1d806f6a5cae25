"""The way of a detector that learns: bins settle once late events count no more, and are learned; others are judged.

What is kept are the models as of the last settled bin. A run reads the bins since then, learns those that settled
meanwhile, and judges the others with copies of the models, which nobody keeps. So a late event changes the judgement
of its bin for as long as `grace` lasts, and never what was learned; and a run costs what is new.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from ...plugins import (
    Detector,
    DetectorRun,
    Finding,
    Json,
    QueryError,
    duration_ns,
    group_words,
    in_worker,
    value_words,
)
from .causes import causes
from .config import SECOND, SeriesConfig
from .memory import Kept, maker, pack, unpack
from .model import Model, Point, Verdict
from .reading import Key, Reader, group_of

EXPLAINED = 5  # findings of a run that are given causes: two queries a field
Config = TypeVar("Config", bound=SeriesConfig)
Bins = Mapping[int, Mapping[Key, float]]
_log = logging.getLogger(__name__)


class SeriesDetector(Detector[Config]):
    """A model for each group, of the values of its bins."""

    version: ClassVar[int]
    """Of what the models keep: another one is learned anew."""
    most_series: ClassVar[int] = 200
    """Each has a model of some kilobytes, which are written again with each bin that settles."""

    @property
    @abstractmethod
    def value(self) -> str:
        """The aggregation that gives a bin its value."""

    @property
    @abstractmethod
    def empty(self) -> float | None:
        """The value of a bin without events; None: it has none."""

    @abstractmethod
    def model(self, state: Any = None) -> Model:
        """A model of this state (what its `dump` gave), or a new one.

        :raises ValueError: the state is no such thing
        """

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each series that has a bin out of the way in the window that ends at `run.at_ns`.

        :raises QueryError: the query is wrong, or aggregates
        """
        config, bin_ns = self.config, duration_ns(self.config.bin)
        if run.group_fields(config.query) is not None:
            raise QueryError(
                f"{self.type} looks for events, and this query aggregates them",
                text=config.query,
                hint="leave the aggregation out and name the groups with `by:`",
            )
        reader = Reader(config.query, self.value, config.by, bin_ns)
        learning = self._begun(run, bin_ns)
        end = run.at_ns // bin_ns * bin_ns
        settled = min(end, (run.at_ns - duration_ns(config.grace)) // bin_ns * bin_ns)
        came, bins = await reader.read(run, learning.until_ns, end, len(learning.models))
        at = max(learning.until_ns, min(settled, came))
        if at > learning.until_ns:
            await in_worker(learning.learn, bins, at)
            run.keep(await in_worker(learning.dump))
        if came < end:
            return []  # it has not read all of the past yet: the next run goes on
        flagged = await in_worker(learning.flagged, bins, end)
        return await self._findings(run, reader, flagged)

    def _begun(self, run: DetectorRun, bin_ns: int) -> Learning:
        """What was learned so far, or a beginning: `memory` back."""
        memory_ns = duration_ns(self.config.memory)
        made_by = maker(self.type, self.version, self.config)
        kept = unpack(run.learned, made_by, Kept)
        if isinstance(kept, Kept) and not run.at_ns - memory_ns <= kept.until_ns <= run.at_ns + bin_ns:
            kept = "what it learned is of another time: the clock was set, or it did not run for long"
        if isinstance(kept, Kept):
            try:
                return Learning(self, kept)
            except ValueError:
                kept = "what it learned is no model"
        if kept is not None:
            _log.warning("detector %s: %s; it learns anew", run.name, kept)
        begin = (run.at_ns - memory_ns) // bin_ns * bin_ns
        return Learning(self, Kept(made_by, begin, [], []))

    async def _findings(
        self, run: DetectorRun, reader: Reader, flagged: Mapping[Key, tuple[int, Verdict]]
    ) -> list[Finding]:
        findings = []
        worst = sorted(flagged.items(), key=lambda item: (-abs(item[1][1].score), item[0]))
        for number, (key, (at_ns, verdict)) in enumerate(worst):
            group = group_of(self.config.by, key)
            search = run.sample_query(reader.text, group)
            values: dict[str, Json] = {
                "value": verdict.value,
                "expected": round(verdict.expected, 3),
                "lower": round(verdict.lower, 3),
                "upper": round(verdict.upper, 3),
                "score": round(verdict.score, 2),
                "direction": verdict.direction,
                "at": datetime.fromtimestamp(at_ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                **verdict.details,
            }
            if self.config.explain and number < EXPLAINED:
                values["causes"] = await causes(
                    run,
                    search,
                    self.value,
                    self.config.explain,
                    duration_ns(self.config.bin),
                    at_ns,
                    sums=self.empty is not None,
                )
            findings.append(Finding(group, self._title(run, group, verdict), values, search))
        return findings

    def _title(self, run: DetectorRun, group: Mapping[str, Json], verdict: Verdict) -> str:
        where = group_words(group)
        return (
            f"{run.name}: {self.value} {value_words(verdict.value)} in {self.config.bin}, "
            f"{value_words(verdict.lower)} to {value_words(verdict.upper)} expected{f', for {where}' if where else ''}"
        )


class Learning:
    """The models of a detector as of one moment."""

    def __init__(self, detector: SeriesDetector[Any], kept: Kept) -> None:
        self._detector, self._made_by = detector, kept.made_by
        config = detector.config
        self._bin_ns, self._window_ns = duration_ns(config.bin), duration_ns(config.window)
        self._memory_ns = duration_ns(config.memory)
        self.until_ns = kept.until_ns
        self.models = {key: detector.model(state) for key, _, state in kept.series}
        self._seen = {key: seen for key, seen, _ in kept.series}
        self._recent = [(at, key, Verdict(*figures)) for at, key, figures in kept.recent]

    def learn(self, bins: Bins, until_ns: int) -> None:
        """Take the bins up to `until_ns` for settled."""
        for at, key, verdict in self._steps(bins, until_ns):
            self._recent.append((at, key, verdict))
        self.until_ns = until_ns
        self._recent = [item for item in self._recent if item[0] > until_ns - self._window_ns - self._bin_ns]
        for key in [key for key, seen in self._seen.items() if seen < until_ns - self._memory_ns]:
            del self.models[key], self._seen[key]

    def flagged(self, bins: Bins, end_ns: int) -> dict[Key, tuple[int, Verdict]]:
        """The newest bin out of the way of each series, of those that reach into the window; nothing is kept."""
        self.models = {key: model.copy() for key, model in self.models.items()}
        found = {key: (at, verdict) for at, key, verdict in self._recent}
        found |= {key: (at, verdict) for at, key, verdict in self._steps(bins, end_ns)}
        oldest = end_ns - self._window_ns
        return {key: (at, verdict) for key, (at, verdict) in found.items() if at + self._bin_ns > oldest}

    def dump(self) -> bytes:
        """What to keep."""
        series = [(key, self._seen[key], model.dump()) for key, model in self.models.items()]
        recent = [
            (at, key, (v.value, v.expected, v.lower, v.upper, v.score, dict(v.details))) for at, key, v in self._recent
        ]
        return pack(Kept(self._made_by, self.until_ns, series, recent))

    def _steps(self, bins: Bins, until_ns: int) -> Iterator[tuple[int, Key, Verdict]]:
        """Judge and learn the bins up to `until_ns`, a series after the other."""
        span = range(self.until_ns, until_ns, self._bin_ns)
        begins = dict.fromkeys(self.models, span.start)
        for at in span:
            for key in bins.get(at, ()):
                if key not in begins and len(begins) < self._detector.most_series:
                    begins[key] = at
                if key in begins:
                    self._seen[key] = at
        for key, begin in begins.items():
            model = self.models.get(key) or self.models.setdefault(key, self._detector.model())
            rows = range(begin, until_ns, self._bin_ns)
            for at, verdict in zip(rows, model.steps([self._point(bins, at, key) for at in rows]), strict=True):
                if verdict is not None:
                    yield at, key, verdict

    def _point(self, bins: Bins, at: int, key: Key) -> Point:
        values = bins.get(at)
        return Point(at // SECOND, self._detector.empty if values is None else values.get(key, self._detector.empty))
