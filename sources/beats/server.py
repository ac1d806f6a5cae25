"""The server's side of a connection: windows in, acknowledgements out, in order and after the commit."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from ...plugins import RejectedError, half_the_cores, in_worker
from ..network import Connection, Gatherer, Lot
from .frames import COMPRESSED, WINDOW, Frame, Framing, MalformedError, acknowledgement, inflated

MOST_HELD = 256 * 1024 * 1024
"""Bytes of frames and windows that are not complete, of all connections together; who wants more is let go."""
_PART = (
    4 * 1024 * 1024
)  # bytes of a window that are handed over before the rest is there, and acknowledged by themselves
_OVERHEAD = 100  # bytes of an event beside its document, about
_UNACKNOWLEDGED = 32  # parts of a connection that wait for their commit
_STILL_S = 5.0  # a client that hears nothing for 30 s (Filebeat's default) sends all again

Documents = Sequence[bytes]
_Told = tuple[Lot[Documents], int]


class Server:
    """Speaks with each client of one source.

    :param most: bytes of a frame, as it comes and decompressed
    """

    def __init__(self, gatherer: Gatherer[Documents], most: int) -> None:
        self._gatherer, self._most = gatherer, most
        self._threads = half_the_cores()
        self._held = 0

    async def serve(self, connection: Connection) -> None:
        """Take windows in until the client goes, or sends what is none."""
        send, receive = anyio.create_memory_object_stream[_Told](_UNACKNOWLEDGED)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._acknowledge, connection, receive)
            async with send:
                try:
                    await self._windows(connection, send)
                except MalformedError as why:
                    connection.complain("malformed", f"the connection of {connection.peer} was closed: {why}")

    async def _windows(self, connection: Connection, told: ObjectSendStream[_Told]) -> None:
        framing, window = Framing(self._most), _Window()
        held = 0
        try:
            while data := await connection.receive():
                ended = False
                for outer in framing.feed(data):
                    frames = await self._within(outer)
                    held = self._hold(held, framing.held + window.size + sum(len(frame.body) for frame in frames))
                    for frame in frames:
                        ended = await self._took(frame, window, told) or ended
                held = self._hold(held, framing.held + window.size)
                connection.mark(unfinished=framing.held > 0 or window.left > 0, progress=ended)
        except anyio.BrokenResourceError:  # the connection was closed, for something was not stored
            pass
        finally:
            self._held -= held

    def _hold(self, before: int, now: int) -> int:
        """Note that a connection holds so many bytes.

        :raises MalformedError: all together hold too many
        """
        self._held += now - before
        if now > before and self._held > MOST_HELD:
            self._held -= now - before
            raise MalformedError(f"{MOST_HELD} bytes of unfinished windows are held already")
        return now

    async def _within(self, frame: Frame) -> list[Frame]:
        """The frames in a compressed one, or itself."""
        if frame.kind != COMPRESSED:
            return [frame]
        return await in_worker(inflated, frame.body, self._most, limiter=self._threads)

    async def _took(self, frame: Frame, window: _Window, told: ObjectSendStream[_Told]) -> bool:
        """Take a frame in; whether it was the last of its window."""
        if frame.kind == WINDOW:
            window.open(frame.number)
            return False
        ended = window.add(frame)
        if ended or window.size >= _PART:
            documents, size = window.take()
            lot = await self._gatherer.put(documents, size, len(documents))
            await told.send((lot, frame.number))
        return ended

    async def _acknowledge(self, connection: Connection, told: ObjectReceiveStream[_Told]) -> None:
        """Tell the client of each commit, and every few seconds that we are still at work."""
        async with told:
            async for lot, sequence in told:
                try:
                    while not await _stored_soon(lot):
                        await connection.send(acknowledgement(0))
                except RejectedError:
                    await connection.close()
                    return
                await connection.send(acknowledgement(sequence))


async def _stored_soon(lot: Lot[Documents]) -> bool:
    with anyio.move_on_after(_STILL_S):
        await lot.stored()
        return True
    return False


class _Window:
    """The events of a window as they come; parts of it may be taken out before it is whole."""

    def __init__(self) -> None:
        self.left = 0
        """Events that are still to come."""
        self.size = 0
        self._documents: list[bytes] = []

    def open(self, count: int) -> None:
        """A window of so many events begins.

        :raises MalformedError: the one before is not at its end
        """
        if self.left:
            raise MalformedError(f"a window begins while {self.left} events of the one before are missing")
        self.left = count

    def add(self, frame: Frame) -> bool:
        """An event; whether it was the window's last.

        :raises MalformedError: there is no window
        """
        if not self.left:
            raise MalformedError("an event comes outside of a window")
        self.left -= 1
        self._documents.append(frame.body)
        self.size += len(frame.body) + _OVERHEAD
        return not self.left

    def take(self) -> tuple[Documents, int]:
        """What has come, and its bytes."""
        documents, size = self._documents, self.size
        self._documents, self.size = [], 0
        return documents, size
