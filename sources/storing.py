"""What sources that fetch share: a batch is committed with the position after it, however long that takes."""

from __future__ import annotations

import logging

import anyio

from ..plugins import Batch, Checkpoint, CheckpointConflictError, Outlet, RejectedError, RetryableError

_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_log = logging.getLogger(__name__)


async def store(
    outlet: Outlet, batch: Batch, *, checkpoint: Checkpoint | None = None, key: str | None = None, received: int = 0
) -> int:
    """Commit a batch, and its position with it. Answers how many events were lost, for the store refuses them for good.

    The position goes on behind what was refused: it would be refused again.

    :raises CheckpointConflictError: somebody else moved the position
    :raises RetryableError: whether somebody else moved the position cannot be asked now
    """
    pause, lost = _PAUSE_S, 0
    while True:
        try:
            await (await outlet.send(batch, checkpoint=checkpoint, key=key, received=received)).committed()
            return lost
        except RejectedError as why:
            lost += len(batch)
            told = "source %s: %d events are lost, for the store refuses them: %s"
            _log.error(told, outlet.source, len(batch), why)
            if checkpoint is None or not len(batch):
                return lost
            batch = Batch(batch.frame.clear())
        except CheckpointConflictError:
            if checkpoint is not None and await outlet.checkpoint(checkpoint.key) == checkpoint.value:
                return lost  # it was stored the time before, and the answer was lost on the way
            raise
        except RetryableError as why:
            await anyio.sleep(why.after or pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
