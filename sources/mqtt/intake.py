"""From a connection's messages to commits, and back to acknowledgements.

Messages gather to a lot while the one before is being committed; what a lot brought is acknowledged after its commit,
in order. So memory is bounded: a lot that is full makes the reader wait, and by it the broker.

QoS 2 stores a message once [MQTT 4.3.3, method A]: the identifiers of messages that are stored and not yet released
are a checkpoint, committed with the messages. Who is killed between commit and PUBREC finds the identifier there when
the message comes again. An identifier is given up (PUBCOMP) after the commit that forgets it, for the broker uses it
for another message then.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from ...plugins import (
    Batch,
    Checkpoint,
    CheckpointConflictError,
    Json,
    Outlet,
    RejectedError,
    RetryableError,
    half_the_cores,
    in_worker,
)
from . import packets
from .connection import Connection, GoneError
from .packets import MalformedError, Packet, Publish

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a lot; then the broker waits."""
MOST_MESSAGES = 50_000
_LINGER_S = 0.02  # waited for more: so few batches a second are no load
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_LAST_S = 2.0  # for what was read already when the source is stopped; the node gives all sources five
_NOTHING = Batch.from_lines([])
_log = logging.getLogger(__name__)


class Session:
    """What is committed of the session with the broker: topics, and identifiers of QoS 2 that are not released."""

    def __init__(self, outlet: Outlet, key: str, stored: Json) -> None:
        self._outlet, self._key, self._stored = outlet, key, stored
        known = stored if isinstance(stored, dict) else {}
        self.held: set[int] = set(known.get("held", ()))
        self.topics: list[str] = list(known.get("topics", ()))

    @classmethod
    async def load(cls, outlet: Outlet, client_id: str) -> Session:
        """As it is committed."""
        key = f"session/{client_id}"
        return cls(outlet, key, await outlet.checkpoint(key))

    async def store(self, batch: Batch, held: set[int], topics: Sequence[str], received: int = 0) -> None:
        """Commit a batch, and with it what changed of the session.

        :raises RejectedError: the batch will never be stored
        :raises GoneError: somebody else has the same session
        """
        checkpoint = None
        if held != self.held or list(topics) != self.topics:
            # The token tells our own commit, whose answer was lost, from another's.
            value: Json = {"token": secrets.token_hex(8), "held": sorted(held), "topics": list(topics)}
            checkpoint = Checkpoint(self._key, value, self._stored)
        pause = _PAUSE_S
        while True:
            try:
                receipt = await self._outlet.send(batch, checkpoint=checkpoint, received=received)
                await receipt.committed()
                break
            except CheckpointConflictError as why:
                if checkpoint is None or await self._outlet.checkpoint(self._key) != checkpoint.value:
                    raise GoneError(f"another client has this client_id: {why}", refused=True) from why
                break
            except RejectedError as why:
                if len(batch):
                    raise
                raise GoneError(f"the store refuses what is known of the session: {why}", refused=True) from why
            except RetryableError as why:
                await anyio.sleep(why.after or pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        if checkpoint is not None:
            self._stored, self.held, self.topics = checkpoint.value, held, list(topics)


@dataclass(slots=True)
class _Lot:
    messages: list[Publish] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return self.size >= MOST_BYTES or len(self.messages) >= MOST_MESSAGES


class Intake:
    """Takes in what comes over one connection.

    :param read: makes a batch of messages, an event each; called in a worker thread
    :param keepalive_s: seconds after which the broker gives up a client that says nothing
    :param wanted: whether a message is wanted at all
    """

    def __init__(
        self,
        outlet: Outlet,
        connection: Connection,
        session: Session,
        read: Callable[[Sequence[Publish]], Batch],
        keepalive_s: float,
        wanted: Callable[[Publish], bool],
    ) -> None:
        self._outlet, self._connection, self._session, self._read = outlet, connection, session, read
        self._keepalive_s, self._wanted = keepalive_s, wanted
        self._threads = half_the_cores()
        self._lot = _Lot()
        self._some, self._taken, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._storing = anyio.CancelScope(shield=True)
        self._ending = False
        self._failure: GoneError | None = None
        self.rejected = 0
        """Events that the store refused for good."""

    async def run(self) -> GoneError:
        """Take in until the connection ends, then commit what came; why it ended.

        Cancelled, it commits and acknowledges what came for two seconds more: else the broker would send it again.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._store_lots)
            try:
                ended = await self._read_until_gone()
                self._end()
                await self._ended.wait()
            finally:
                self._end()
                self._storing.deadline = anyio.current_time() + _LAST_S
        return self._failure or ended

    def _end(self) -> None:
        self._ending = True
        self._some.set()

    async def _read_until_gone(self) -> GoneError:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._ping)
            try:
                while self._failure is None:
                    for packet in await self._connection.receive():
                        await self._take(packet)
                gone = self._failure
            except GoneError as why:
                gone = why
            except MalformedError as why:
                gone = GoneError(f"the broker speaks no MQTT: {why}", refused=True)
            tasks.cancel_scope.cancel()
        return gone

    async def _ping(self) -> None:
        while True:
            await anyio.sleep(self._keepalive_s / 2)
            await self._connection.send(packets.PING)

    async def _take(self, packet: Packet) -> None:
        if packet.kind == packets.PUBLISH:
            message = packets.read_publish(packet, v5=self._connection.v5)
            if message.qos == 2 and message.id in self._session.held:  # stored already
                await self._connection.send(packets.acknowledge(packets.PUBREC, message.id))
            elif not self._wanted(message):
                await self._connection.send(_acknowledgement(message))
            else:
                lot = await self._room()
                lot.messages.append(message)
                lot.size += len(packet.body)
                self._some.set()
        elif packet.kind == packets.PUBREL:
            id_ = packets.identifier(packet)
            if id_ in self._session.held:
                (await self._room()).released.append(id_)
                self._some.set()
            else:
                await self._connection.send(packets.acknowledge(packets.PUBCOMP, id_))
        elif packet.kind == packets.DISCONNECT:
            code = packet.body[0] if packet.body else 0
            raise GoneError(f"the broker ended the connection: {packets.reason(code)}", refused=code >= 0x80)
        elif packet.kind not in (packets.PINGRESP, packets.SUBACK, packets.UNSUBACK):
            raise MalformedError(f"a packet of type {packet.kind}")

    async def _room(self) -> _Lot:
        """The lot that is being gathered; waits while it is full."""
        while self._lot.full and self._failure is None:
            await self._taken.wait()
        return self._lot

    async def _store_lots(self) -> None:
        try:
            with self._storing:
                while True:
                    await self._some.wait()
                    if self._ending and not (self._lot.messages or self._lot.released):
                        return
                    if not self._ending:
                        await anyio.sleep(_LINGER_S)
                    await self._store(self._next())
        except GoneError as why:
            self._failure = why
            await self._connection.close()
        finally:
            self._ended.set()
            self._taken.set()

    def _next(self) -> _Lot:
        lot, self._lot = self._lot, _Lot()
        taken, self._taken = self._taken, anyio.Event()
        if not self._ending:
            self._some = anyio.Event()
        taken.set()
        return lot

    async def _store(self, lot: _Lot) -> None:
        """Commit a lot, and acknowledge what it brought.

        :raises GoneError: somebody else has the same session
        """
        session = self._session
        held = (session.held | {message.id for message in lot.messages if message.qos == 2}) - set(lot.released)
        batch = await in_worker(self._read, lot.messages, limiter=self._threads) if lot.messages else _NOTHING
        try:
            await session.store(batch, held, session.topics, lot.size)
        except RejectedError as why:  # acknowledged all the same: it would come again and again
            self.rejected += len(batch)
            told = "source %s: %d messages are lost, for the store refuses them: %s"
            _log.error(told, self._outlet.source, len(batch), why)
            await session.store(_NOTHING, session.held - set(lot.released), session.topics)
        answers = [_acknowledgement(message) for message in lot.messages]
        answers += [packets.acknowledge(packets.PUBCOMP, id_) for id_ in lot.released]
        if answer := b"".join(answers):
            await self._connection.send(answer)


def _acknowledgement(message: Publish) -> bytes:
    """The answer to a message, by its QoS."""
    if not message.qos:
        return b""
    return packets.acknowledge(packets.PUBACK if message.qos == 1 else packets.PUBREC, message.id)
