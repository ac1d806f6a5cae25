"""The model of one group: which kinds of messages there are, and the units it learned from. Plain numbers and texts.

It judges a unit by the looks fitted last, then learns it. It is fitted anew when an eighth more was learned, and
what is kept says as of which fit each number is; so a verdict depends on the units
before it, not on how many come at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from ...plugins import clustered
from .looks import NEW, CountLook, OrderLook, Sample, Step
from .units import Unit

MOST_KINDS = 500  # of messages that are told apart; those beyond count as one, the last
OTHER_KIND = MOST_KINDS - 1
MOST_FORMS = 1_000  # whose kind is known
MOST_SAMPLES = 1_000  # different units that are remembered: those that came often, and the newest
MOST_WEIGHT = 100_000  # units that they stand for; then all count half, so that what was usual long ago is forgotten
CALIBRATED = 1_000  # scores of the past that tell what is usual
LEAST_UNITS = 100  # below, nothing is judged
FIRST_FIT, LAST_STEP = 50, 2_000  # units until the first fit, and most between two
LEAST_DRAWN = 4.0  # least bound of the counts of windows, in deviations: of five hundred kinds one is often beyond 3
FLOORS = (2.0, 5.0)  # least bounds: of the counts of sessions; of order, -ln of a rate: one in 150
REACH = 3.0  # how far above the median the bound is, as a multiple of how far the ninth decile is
SHOWN = 5  # kinds that explain a unit
OTHER = "(other kinds)"  # the last kind


class State(msgspec.Struct, array_like=True):
    """What a model keeps."""

    learned: int = 0
    next_fit: int = FIRST_FIT
    bounds: tuple[float, float] = (0.0, 0.0)
    """Of the fit: how much each look says before it is trouble. 0: not fitted yet."""
    kinds: list[str] = msgspec.field(default_factory=list)
    forms: dict[str, int] = msgspec.field(default_factory=dict)
    """The kind of each form."""
    samples: list[tuple[list[int], dict[int, int], int, int]] = msgspec.field(default_factory=list)
    """(marks, counts, weight at the fit, units since) of units that were alike; the one seen last comes last."""
    fitted_kinds: int = 0
    scores: tuple[list[float], list[float]] = msgspec.field(default_factory=lambda: ([], []))


class Strange(msgspec.Struct, array_like=True, frozen=True):
    """A unit that is unlike the others: why, as a person reads it."""

    score: float
    new: tuple[str, ...] = ()
    too_many: tuple[tuple[str, int, float], ...] = ()
    """(kind, how many, how many are usual)."""
    missing: tuple[tuple[str, int, float], ...] = ()
    unlikely: tuple[str, str, float] | None = None
    """(kind before, kind that came, rate); empty texts: the begin, the end."""


@dataclass(frozen=True, slots=True)
class Looks:
    """As they were fitted."""

    counts: CountLook
    order: OrderLook
    kinds: int


@dataclass(slots=True)
class Model:
    """Judges and learns the units of one group, in the order in which they were over."""

    state: State
    ordered: bool
    """Whether the order of messages says something: of sessions it does."""
    sensitivity: float
    _looks: Looks | None = field(default=None)
    _index: dict[Any, int] | None = field(default=None)

    def step(self, unit: Unit) -> Strange | None:
        """Judge it by what was learned before, then learn it."""
        state = self.state
        known = len(state.kinds)
        marks, counts = self._numbers(unit, known)
        verdict = None
        if state.fitted_kinds:
            looks = self._looks = self._looks or self._fitted()
            (distance, off), worst = looks.counts.score(counts), looks.order.worst(marks)
            for scores, score in zip(state.scores, (distance, worst.surprise), strict=True):
                scores.append(score)
                del scores[:-CALIBRATED]
            score = max(distance / state.bounds[0], worst.surprise / state.bounds[1]) if state.bounds[0] else 0.0
            if score >= self.sensitivity and state.learned >= LEAST_UNITS:
                verdict = self._explained(looks, score, counts, off, worst)
        self._learn(marks, counts)
        return verdict

    def copy(self) -> Model:
        """Another that learns on its own."""
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.state), type=State)
        return Model(state, self.ordered, self.sensitivity, self._looks)

    def _numbers(self, unit: Unit, known: int) -> tuple[tuple[int, ...], dict[int, int]]:
        """Its marks and its counts by kind."""
        kind_of = self._kinds_of(unit)
        counts: dict[int, int] = {}
        for form, (count, _, _) in unit.forms.items():
            counts[kind_of[form]] = counts.get(kind_of[form], 0) + count
        if self.ordered:
            return tuple(kind_of[form] for form in unit.marks()), counts
        return ((NEW,) if any(kind >= known for kind in counts) else ()), counts

    def _kinds_of(self, unit: Unit) -> Mapping[str, int]:
        """The kind of each of its forms. One that a comparison shows to be of a kind that is known gets that kind."""
        state = self.state
        unknown = [form for form in sorted(unit.forms) if form not in state.forms]
        if unknown and len(state.kinds) < OTHER_KIND and len(state.forms) < MOST_FORMS:
            known = list(state.forms)
            patterns = clustered([*known, *unknown])
            of_pattern: dict[str, int] = {}
            for form, pattern in zip(known, patterns, strict=False):
                of_pattern.setdefault(pattern, state.forms[form])
            for form, pattern in zip(unknown, patterns[len(known) :], strict=True):
                if pattern not in of_pattern and len(state.kinds) < OTHER_KIND:
                    of_pattern[pattern] = len(state.kinds)
                    state.kinds.append(pattern)
                state.forms[form] = of_pattern.get(pattern, OTHER_KIND)
        return {form: state.forms.get(form, OTHER_KIND) for form in unit.forms}

    def _learn(self, marks: tuple[int, ...], counts: dict[int, int]) -> None:
        state = self.state
        if self._index is None:
            self._index = {_key(sample[0], sample[1]): at for at, sample in enumerate(state.samples)}
        at = self._index.get(_key(marks, counts))
        if at is None:
            self._index[_key(marks, counts)] = len(state.samples)
            state.samples.append((list(marks), counts, 0, 1))
        else:
            old = state.samples[at]
            state.samples[at] = (*old[:3], old[3] + 1)
        state.learned += 1
        if state.learned >= state.next_fit:
            self._fit()

    def _fit(self) -> None:
        """Take what was learned since into the looks, and forget what is too much."""
        state = self.state
        samples = [(marks, counts, weight + fresh, 0) for marks, counts, weight, fresh in state.samples]
        if sum(sample[2] for sample in samples) > MOST_WEIGHT:
            samples = [(marks, counts, weight // 2, 0) for marks, counts, weight, _ in samples if weight > 1]
        if len(samples) > MOST_SAMPLES:
            # The newest of those that came least often stay.
            order = sorted(range(len(samples)), key=lambda at: (samples[at][2], at), reverse=True)
            samples = [samples[at] for at in sorted(order[:MOST_SAMPLES])]
        state.samples, state.fitted_kinds = samples, len(state.kinds)
        state.next_fit = state.learned + max(FIRST_FIT, min(state.learned // 8, LAST_STEP))
        if len(state.scores[0]) >= FIRST_FIT:
            state.bounds = (
                _bound(state.scores[0], FLOORS[0] if self.ordered else LEAST_DRAWN),
                _bound(state.scores[1], FLOORS[1]),
            )
        self._looks = self._index = None

    def _fitted(self) -> Looks:
        samples = [Sample(tuple(marks), counts, weight) for marks, counts, weight, _ in self.state.samples if weight]
        kinds = MOST_KINDS if any(OTHER_KIND in sample.counts for sample in samples) else self.state.fitted_kinds
        return Looks(CountLook(samples, kinds, drawn=not self.ordered), OrderLook(samples), self.state.fitted_kinds)

    def _explained(self, looks: Looks, score: float, counts: Mapping[int, int], off: Any, worst: Step) -> Strange:
        state = self.state
        new = tuple(self._name(kind) for kind in sorted(counts) if kind >= looks.kinds and kind != OTHER_KIND)
        too_many: list[tuple[str, int, float]] = []
        missing: list[tuple[str, int, float]] = []
        expected = looks.counts.expected(counts)
        for kind in np.argsort(-np.abs(off))[:SHOWN].tolist():
            count = counts.get(kind, 0)
            if abs(off[kind]) < 1 or abs(count - expected[kind]) < 0.5:
                continue
            said = (self._name(kind), count, round(float(expected[kind]), 1))
            (too_many if off[kind] > 0 else missing).append(said)
        unlikely = None
        if worst.surprise >= state.bounds[1] * self.sensitivity and self.ordered:
            unlikely = (self._name(worst.before), self._name(worst.kind), float(np.exp(-worst.surprise)))
        return Strange(score, new, tuple(too_many), tuple(missing), unlikely)

    def _name(self, kind: int) -> str:
        if kind < 0:
            return ""
        return self.state.kinds[kind] if kind < len(self.state.kinds) else OTHER


def _key(marks: Sequence[int], counts: Mapping[int, int]) -> Any:
    return (tuple(marks), tuple(sorted(counts.items())))


def _bound(scores: Sequence[float], floor: float) -> float:
    """Above it, a score is trouble: far from most, by the spread of most; a few that are strange do not move it."""
    middle, high = np.quantile(scores, (0.5, 0.9))
    return max(floor, float(middle + REACH * (high - middle)))
