"""A lot on its way: sent whole, and where it is refused in halves, until what is refused is an event alone."""

from __future__ import annotations

from typing import Any

import anyio

from ...plugins import Batch, Lot, Output, PartlyRejectedError, RejectedError

WRITE_SECONDS = 300.0  # an output that takes longer for one lot hangs
MOST_WRITES = 200  # of one lot: then a part that is refused is so as a whole


class Sending:
    """What became of the parts of a lot. It outlives a failure, so that what was taken is not sent again after it."""

    def __init__(self, key: str, events: int) -> None:
        self.key, self.events = key, events
        self.refused: dict[int, str] = {}
        """Rows that the other side refuses for good, with the reason."""
        self._left = [(0, events)]
        self._writes = 0

    def is_of(self, lot: Lot) -> bool:
        """Whether it is of this lot, and not of one of which events were deleted since."""
        return (self.key, self.events) == (lot.key, len(lot.batch))

    async def send(self, output: Output[Any], lot: Lot) -> None:
        """Send what was not sent yet; on return each event is with the other side, or `refused`.

        :raises DeliveryError: not now; send it again later
        :raises TimeoutError: the output hangs
        """
        while self._left:
            first, end = self._left[-1]
            try:
                with anyio.fail_after(WRITE_SECONDS):
                    await output.write(self._part(lot, first, end))
            except PartlyRejectedError as why:
                self.refused |= {first + row: reason for row, reason in why.rows.items() if 0 <= row < end - first}
                self._left.pop()
            except RejectedError as why:
                self._left.pop()
                self._refuse(first, end, str(why))
            else:
                self._left.pop()

    def _refuse(self, first: int, end: int, reason: str) -> None:
        self._writes += 1
        if end - first == 1 or self._writes >= MOST_WRITES:
            self.refused |= dict.fromkeys(range(first, end), reason)
        else:
            middle = (first + end) // 2
            self._left += [(middle, end), (first, middle)]

    def _part(self, lot: Lot, first: int, end: int) -> Lot:
        if end - first == self.events:
            return lot
        return Lot(f"{lot.key}-{first}-{end}", Batch(lot.batch.frame[first:end]), lot.arrived_ns)
