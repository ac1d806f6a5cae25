"""What a detector's findings make of the incidents it has: pure, so that a model can check it.

    not known ──found──► open ◄─silence──► silenced ──acknowledge──► acknowledged
                          │    (or acknowledge)   │                         │
                          └── not found for `resolve_after`, or resolved by a person ──► resolved

An incident has a key (detector and group); of one key at most one is not resolved.

One that opens after others of its key opened and ended again and again is flapping, in whatever of these states: it is
resolved when it has been well for as long as these were counted, not before. One that was in trouble for so long is an
ordinary one from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from ...plugins import DetectorConfig, Finding, Json, duration_ns, severity_rank

MAX_OPEN = 500  # incidents a detector may have open; more groups than that are one trouble, and each would tell people


@dataclass(frozen=True, slots=True)
class Step:
    """One window that is judged: events with `at_ns - window_ns <= timestamp < at_ns`.

    `late`: it had been judged before and is again, for events that came late. Such a window opens incidents, but says
    nothing of the present, so it resolves none. `again`: it ends before the last one that was judged, since the clock
    went back; it opens nothing that was told already.
    """

    at_ns: int
    window_ns: int
    late: bool = False
    again: bool = False

    @property
    def from_ns(self) -> int:
        """Where the window begins."""
        return self.at_ns - self.window_ns


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that matters for a step: one that is not resolved, or resolved but of a time the window reaches into.

    `to_ns`: where the last window in trouble ended; for one that a person resolved, when they did. `turned_ns`: when it
    last got well (`is_well`) or into trouble, of one that is flapping.
    """

    id: int
    key: str
    is_open: bool
    from_ns: int
    to_ns: int
    by_hand: bool = False
    severity: str = ""
    opened_ns: int = 0
    turned_ns: int | None = None
    is_well: bool = False


@dataclass(frozen=True, slots=True)
class Damping:
    """After how many incidents `within_ns` the next of the same key is flapping. 0: never."""

    flaps: int = 0
    within_ns: int = 0

    @classmethod
    def of(cls, config: DetectorConfig) -> Damping:
        """What a detector's settings say."""
        return cls(config.flaps, duration_ns(config.flaps_within))


NEVER = Damping()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written; `skipped` counts groups beyond MAX_OPEN.

    `flapping`: those of the opened keys that are flapping, with how many were before. `turns`: flapping ones that got
    well (true) or into trouble again; `steady`: those that are no longer flapping and still in trouble.
    """

    opens: tuple[tuple[str, Finding], ...]
    seen: tuple[tuple[int, Finding], ...]
    resolves: tuple[int, ...]
    skipped: int
    flapping: Mapping[str, int] = field(default_factory=dict)
    turns: tuple[tuple[int, bool], ...] = ()
    steady: tuple[int, ...] = ()


def dedup_key(detector: str, group: Mapping[str, Json]) -> str:
    """The same for the same detector and group, whatever the order of the group's fields.

    >>> dedup_key("errors", {"a": 1, "b": "x"}) == dedup_key("errors", {"b": "x", "a": 1})
    True
    """
    canonical = msgspec.json.encode([detector, dict(group)], order="deterministic")
    return hashlib.sha256(canonical).hexdigest()


def by_key(detector: str, findings: Sequence[Finding]) -> dict[str, Finding]:
    """The findings by key; of two for one group the last counts."""
    return {dedup_key(detector, finding.group): finding for finding in findings}


def is_worse(finding: Finding, severity: str) -> bool:
    """Whether what was found is worse than an incident was so far."""
    return finding.severity is not None and severity_rank(finding.severity) > severity_rank(severity)


def changes(
    step: Step, found: Mapping[str, Finding], known: Sequence[Known], resolve_after_ns: int, damping: Damping = NEVER
) -> Changes:
    """What the findings of one window change.

    An open incident that is found lives on. A group without one opens, unless a resolved incident stands for the same
    trouble: after a person resolved it, until a window holds only later events; in a window judged before, always. An
    open incident is resolved once the last window in trouble lies `resolve_after_ns` back; for one that is flapping see
    `_swung`.
    """
    is_open = {item.key: item for item in known if item.is_open}
    told = {
        item.key
        for item in known
        if not item.is_open
        and (step.late or step.again or item.by_hand)
        and item.from_ns < step.at_ns
        and step.from_ns < item.to_ns
    }
    seen = tuple((is_open[key].id, finding) for key, finding in found.items() if key in is_open)
    opens = [(key, finding) for key, finding in found.items() if key not in is_open and key not in told]
    room = max(0, MAX_OPEN - len(is_open))
    before = {key: _before(key, step, known, damping) for key, _ in opens[:room]} if damping.flaps else {}
    present = () if step.late else tuple(is_open.values())
    swings = {item.id: item for item in present if damping.flaps and item.turned_ns is not None}
    gone = [
        item.id
        for item in present
        if item.id not in swings and item.key not in found and step.at_ns - item.to_ns >= resolve_after_ns
    ]
    turns, calm, steady = _swung(step, found, list(swings.values()), resolve_after_ns, damping.within_ns)
    return Changes(
        tuple(opens[:room]),
        seen,
        (*gone, *calm),
        max(0, len(opens) - room),
        {key: count for key, count in before.items() if count >= damping.flaps},
        turns,
        steady,
    )


def _before(key: str, step: Step, known: Sequence[Known], damping: Damping) -> int:
    """How many of this key opened and ended lately; a person who resolves one makes the count begin anew."""
    ended = [item for item in known if item.key == key and not item.is_open]
    since = max([step.at_ns - damping.within_ns, *(item.to_ns for item in ended if item.by_hand)])
    return sum(since < item.opened_ns <= step.at_ns for item in ended)


def _swung(
    step: Step, found: Mapping[str, Finding], swings: Sequence[Known], resolve_after_ns: int, within_ns: int
) -> tuple[tuple[tuple[int, bool], ...], tuple[int, ...], tuple[int, ...]]:
    """Of those that are flapping: which turned, which are calm and well, and which have been in trouble throughout."""
    turns: list[tuple[int, bool]] = []
    calm: list[int] = []
    steady: list[int] = []
    for item in swings:
        if item.is_well and item.key in found:
            turns.append((item.id, False))
        elif not item.is_well and item.key not in found and step.at_ns - item.to_ns >= resolve_after_ns:
            turns.append((item.id, True))
        elif step.at_ns - (item.turned_ns or 0) >= within_ns:
            (calm if item.is_well else steady).append(item.id)
    return tuple(turns), tuple(calm), tuple(steady)
