"""One container that is followed: its log to batches, each committed with the place behind it."""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from ...plugins import Batch, Checkpoint, Outlet, RetryableError, in_worker
from ..storing import store
from .engine import Container, Engine
from .frames import LOT, MalformedError, Place, Records, Skipping, read_lines

LINGER_S = 0.05
"""Waited for more: so few batches a second are no load."""
STUCK_S = 5.0
"""How long the rest of a line may take; then what is there of it is an event."""
_MOST_LABELS = 100
_SERVICES = ("com.docker.compose.service", "com.docker.swarm.service.name")


def checkpoint_key(number: str) -> str:
    """Under which the place in a container's log is kept."""
    return f"docker/{number}"


def container_fields(container: Container, labels: Sequence[str], host: str) -> dict[str, str]:
    """The fields of all its events."""
    name = container.name.lstrip("/")
    own = container.config.labels or {}
    chosen = [label for label in sorted(own) if any(fnmatch.fnmatchcase(label, glob) for glob in labels)]
    service = next((own[label] for label in _SERVICES if own.get(label)), name or container.id[:12])
    return {
        "host": host,
        "service": service,
        "container.id": container.id,
        "container.name": name,
        "container.image.name": container.config.image,
        **{f"container.label.{label}": own[label] for label in chosen[:_MOST_LABELS]},
    }


@dataclass(slots=True)
class Following:
    """A container's log while it is read. `fields` are those of all its events."""

    engine: Engine
    outlet: Outlet
    container: Container
    fields: Mapping[str, str]
    storing: anyio.Semaphore
    """Held while a batch is made and stored: it bounds how many containers do so at once."""
    rejected: int = 0
    _place: Place = field(default_factory=Place)
    _stored: Place | None = None

    async def run(self) -> None:
        """Read until the container has ended.

        :raises RejectedError: the log cannot be read
        :raises RetryableError: the Engine does not answer any more, or another reads the same log
        """
        value = await self.outlet.checkpoint(checkpoint_key(self.container.id))
        self._place = Place.of(value)
        self._stored = None if value is None else self._place
        async with self.engine.logs(self.container.id, self._place.since) as pieces:
            raised: Exception | None = None
            async with anyio.create_task_group() as tasks:
                sending, receiving = anyio.create_memory_object_stream[bytes | Exception](0)
                tasks.start_soon(_pump, pieces, sending)
                with receiving:
                    try:
                        await self._lots(receiving)
                    except Exception as why:  # raised again below: here it would come out in a group of its own
                        raised = why
                tasks.cancel_scope.cancel()
            if raised is not None:
                raise raised

    async def _lots(self, pieces: ObjectReceiveStream[bytes | Exception]) -> None:
        """Gather what comes, and store it when no line is unfinished."""
        records, skipping = Records(terminal=self.container.config.tty), Skipping(self._place)
        more = True
        while more:
            began = float("inf")
            while more and records.size < 2 * LOT:
                until = began + (STUCK_S if records.unfinished else LINGER_S)
                if records.size >= LOT and not records.unfinished:
                    break
                piece: bytes | Exception | None = None
                with anyio.move_on_at(until) as waited:
                    try:
                        piece = await pieces.receive()
                    except anyio.EndOfStream:
                        more = False
                if waited.cancelled_caught:
                    break
                if isinstance(piece, bytes):
                    began = min(began, anyio.current_time())
                    _fed(records, piece, self.container.id)
                elif piece is not None:
                    if not records.unfinished:  # else its line is read again, whole
                        await self._store(records, skipping)
                    raise piece
            if not more or records.unfinished:
                records.finish()
            await self._store(records, skipping)

    async def _store(self, records: Records, skipping: Skipping) -> None:
        if not records.size:
            return
        received = records.size
        async with self.storing:
            batch, place = await in_worker(self._read, records, skipping)
            if place == self._place:
                return
            checkpoint = Checkpoint(
                checkpoint_key(self.container.id), place.json(), self._stored.json() if self._stored else None
            )
            self.rejected += await store(self.outlet, batch, checkpoint=checkpoint, received=received)
        self._place = self._stored = place

    def _read(self, records: Records, skipping: Skipping) -> tuple[Batch, Place]:
        found = records.take()
        found = found.filter(skipping.fresh(found["time"]))
        if not len(found):
            return read_lines(found, self.fields), self._place
        return read_lines(found, self.fields), self._place.after(found["time"])


def _fed(records: Records, piece: bytes, number: str) -> None:
    try:
        records.feed(piece)
    except MalformedError as why:
        raise RetryableError(f"container {number[:12]}: {why}") from why


async def _pump(pieces: AsyncIterator[bytes], sending: ObjectSendStream[bytes | Exception]) -> None:
    """Read on its own, for to cancel a read would end the connection."""
    async with sending:
        try:
            async for piece in pieces:
                await sending.send(piece)
        except anyio.BrokenResourceError:
            return
        except Exception as why:  # the reader's, who waits
            await sending.send(why)
