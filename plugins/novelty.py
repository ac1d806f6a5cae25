"""What is new: judged from what was seen before, with a time of learning at the beginning.

Something is new in the windows that hold its first event, or the first after a long absence; so a window that is judged
again gives the same answer, and an incident is over when the first event has left the window.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .base import DetectorConfig
from .durations import Duration, duration_ns
from .memory import Memory, Seen
from .times import iso_ns

_BEGIN = "\0begin"  # the key under which a memory keeps since when it learns
_LEARNED = "\0learned "  # begins the keys of what was learned later: see `to_learn`
_FOREVER = (1 << 62) - 1  # a last time that makes it the one forgotten last
_SLICES = 24  # queries by which the past is learned
_COARSE = 50  # a last time is written when it moved by so much of the time that counts


class LearningConfig(DetectorConfig):
    """Settings of a detector of what is new."""

    learning: Duration = "7d"
    """For how long what comes is only learned, counted from the first event that the search finds."""
    back_after: Duration | None = None
    """What was away for longer is new again; never, if not set."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A thing in a window, with the times of its first and last event there, in nanoseconds since the epoch."""

    key: str
    first_ns: int
    last_ns: int
    row: Mapping[str, Any]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Novelty:
    """`learning_ns`: for so long what is seen is only learned. `back_ns`: after so long an absence it is new again."""

    memory: Memory
    learning_ns: int
    back_ns: int | None

    @classmethod
    def of(cls, memory: Memory, config: LearningConfig) -> Novelty:
        """By a detector's settings."""
        back = None if config.back_after is None else duration_ns(config.back_after)
        return cls(memory, duration_ns(config.learning), back)

    async def is_fresh(self) -> bool:
        """Whether nothing was learned yet: then the past is to be learned first, by `spans`."""
        return not await self.memory.recall([_BEGIN])

    def spans(self, upto_ns: int) -> list[tuple[int, int]]:
        """The parts of the past that are learned, oldest first; the first lies before the time of learning."""
        length = max(1, self.learning_ns // _SLICES)
        begin = upto_ns - length * (_SLICES + 1)
        return [(begin + i * length, begin + (i + 1) * length) for i in range(_SLICES + 1)]

    async def learn(self, sightings: Sequence[Sighting], at_ns: int) -> None:
        """Take them for known; what is seen first says since when there is something to learn from."""
        known = await self.memory.recall([_BEGIN, *(sighting.key for sighting in sightings)])
        begin = min([known[_BEGIN].since_ns if _BEGIN in known else at_ns, *(s.first_ns for s in sightings)])
        self.memory.remember(_BEGIN, Seen(begin, _FOREVER))
        for sighting in sightings:
            old = known.get(sighting.key)
            last = sighting.last_ns if old is None else max(old.last_ns, sighting.last_ns)
            self.memory.remember(sighting.key, Seen(begin, last, sighting.text))

    async def new(
        self,
        sightings: Sequence[Sighting],
        window: tuple[int, int],
        same: Callable[[Sequence[Sighting]], Any] | None = None,
    ) -> list[tuple[Sighting, Seen | None]]:
        """Those that are new in the window, each with what was remembered of it before.

        :param same: an async function that answers which of unknown things are known under another name: a set of keys.
        """
        from_ns, _ = window
        known = await self.memory.recall([_BEGIN, *(sighting.key for sighting in sightings)])
        learned_ns = (known[_BEGIN].since_ns if _BEGIN in known else from_ns) + self.learning_ns
        unknown = [sighting for sighting in sightings if sighting.key not in known]
        renamed = await same(unknown) if same is not None and unknown else set()
        found = []
        for sighting in sightings:
            old = known.get(sighting.key)
            since = self._since(sighting, old)
            if sighting.key in renamed:
                since = learned_ns - self.learning_ns
            self._remember(sighting, old, since)
            if since >= max(from_ns, learned_ns):
                found.append((sighting, old))
        return found

    async def to_learn(self, names: Collection[str]) -> set[str]:
        """Which of these names of something were not asked for before: what is known by them is in no memory yet."""
        keys = {f"{_LEARNED}{name}": name for name in names}
        known = await self.memory.recall(list(keys))
        for key in keys.keys() - known.keys():
            self.memory.remember(key, Seen(0, _FOREVER))
        return {name for key, name in keys.items() if key not in known}

    def _since(self, sighting: Sighting, old: Seen | None) -> int:
        if old is None:
            return sighting.first_ns
        if self.back_ns is not None and sighting.first_ns - old.last_ns > self.back_ns:
            return sighting.first_ns
        return min(old.since_ns, sighting.first_ns)

    def _remember(self, sighting: Sighting, old: Seen | None, since: int) -> None:
        last = sighting.last_ns if old is None else max(old.last_ns, sighting.last_ns)
        coarse = (self.back_ns or self.learning_ns) // _COARSE
        if old is None or old.since_ns != since or last - old.last_ns > coarse:
            self.memory.remember(sighting.key, Seen(since, last, sighting.text))


def sighting(key: str, row: Mapping[str, Any], text: str | None = None) -> Sighting:
    """Of a row with `first_seen` and `last_seen`."""
    return Sighting(key, iso_ns(row["first_seen"]), iso_ns(row["last_seen"]), row, text)
