"""The first halves of aggregations, kept in memory: what a block of segments gives never changes (halves.py)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa

MOST_BYTES: Final = 64 << 20  # of all blocks together
MOST_SHARE: Final = 8  # blocks of one aggregation larger than this part of it would push out too many others
MOST_BLOCKS: Final = 64  # of one aggregation; beyond, those that were used longest ago are read anew, as fewer blocks
MOST_LARGE: Final = 1_000  # aggregations that are known to give too many rows
_SEGMENT_BYTES = 100  # of a block's knowledge of a segment
Key: TypeAlias = tuple[int, str]
"""The project, and the first half in SQL."""


@dataclass(frozen=True, eq=False)
class Block:
    """The rows that the first half gives of segments: id → what was read of it, as SQL."""

    segments: Mapping[int, str]
    rows: pa.Table

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        return int(self.rows.nbytes) + _SEGMENT_BYTES * len(self.segments)


class Partials:
    """Aggregation → blocks; the longest unused leave first.

    Of segments that are gone, or of which something else is to be read now, nobody asks for a block again.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Key, list[Block]] = OrderedDict()
        self._large: OrderedDict[Key, int] = OrderedDict()
        self.bytes = 0

    def of(self, key: Key, wanted: Mapping[int, str]) -> list[Block]:
        """Blocks of nothing but wanted segments, each of which is in one of them at most."""
        chosen: list[Block] = []
        have: set[int] = set()
        blocks = self._kept.get(key, [])
        for block in sorted(blocks, key=lambda block: -len(block.segments)):
            if block.segments.items() <= wanted.items() and have.isdisjoint(block.segments):
                chosen.append(block)
                have.update(block.segments)
        if chosen:
            self._kept[key] = [*chosen, *(block for block in blocks if block not in chosen)]
            self._kept.move_to_end(key)
        return chosen

    def has(self, key: Key) -> bool:
        """Whether anything is kept of the aggregation."""
        return key in self._kept

    def put(self, key: Key, blocks: Sequence[Block]) -> None:
        """Keep blocks, if there is room; those that were asked for longest ago make it."""
        old = self._kept.pop(key, [])
        self.bytes -= sum(block.bytes for block in old)
        within = [one.segments.items() for one in blocks]
        new = [*blocks, *(block for block in old if not any(block.segments.items() <= items for items in within))]
        del new[MOST_BLOCKS:]
        while new and sum(block.bytes for block in new) > self._most // MOST_SHARE:
            new.pop()
        if new:
            self._kept[key] = new
            self.bytes += sum(block.bytes for block in new)
        while self.bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self.bytes -= sum(block.bytes for block in gone)

    def is_large(self, key: Key, rows: int) -> bool:
        """Whether the first half of so many events is known to be too large to be worth it."""
        return rows >= self._large.get(key, rows + 1)

    def mark_large(self, key: Key, rows: int) -> None:
        """Note that the first half of so many events was too large; of half of them it may be so too."""
        self._large[key] = rows // 2
        self._large.move_to_end(key)
        if len(self._large) > MOST_LARGE:
            self._large.popitem(last=False)
