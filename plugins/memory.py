"""What a detector remembers from run to run: which things it saw, since when and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that was seen. Times are the events' own, in nanoseconds since the epoch.

    `text` is kept only where the detector must compare it with others later; the key itself is kept as a digest.
    """

    since_ns: int
    last_ns: int
    text: str | None = None


class Memory(Protocol):
    """A detector's memory: in PostgreSQL, and what one run changes is committed with the incidents that follow from it.

    It is bounded: of too many things those forgotten are the ones that were not seen for the longest time.
    """

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        """What is remembered of these keys, as far as there is something.

        :raises RetryableError: the database does not answer
        """

    async def texts(self) -> Sequence[str]:
        """All texts that are remembered.

        :raises RetryableError: the database does not answer
        """

    def remember(self, key: str, seen: Seen) -> None:
        """Remember it from now on, in the place of what was there."""
