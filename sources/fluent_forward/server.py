"""The server's side of a connection: handshake, messages, acknowledgements.

Source: "Forward Protocol Specification v1".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
from collections.abc import Callable, Sequence

import anyio
import msgpack

from ...plugins import Batch, Outlet, Receipt, RejectedError, RetryableError, half_the_cores, in_worker
from ..network import Connection, Gatherer
from .frames import Framing, MalformedError, Message, read_message

MOST_HELD = 256 * 1024 * 1024
"""Bytes of messages that are not complete, of all connections together; who wants more is let go."""
WINDOW = 32
"""Chunks of a connection that wait for their commit."""
_PING = 16 * 1024  # bytes of the client's part of the handshake
_LONGEST_CHUNK = 200  # characters of an identifier that also keeps a chunk from being stored twice


class Server:
    """Speaks with each client of one source.

    :param read: makes a batch of messages, in a worker thread
    :param key: what clients must know; empty: there is no handshake
    :param most: bytes of a message
    """

    def __init__(
        self,
        outlet: Outlet,
        gatherer: Gatherer[Message],
        read: Callable[[Sequence[Message]], Batch],
        *,
        key: str,
        most: int,
    ) -> None:
        self._outlet, self._gatherer, self._read = outlet, gatherer, read
        self._key, self._most = key, most
        self._threads = half_the_cores()
        self._held = 0

    async def serve(self, connection: Connection) -> None:
        """Take messages in until the client goes, or sends what is none."""
        try:
            if not self._key or await self._agreed(connection):
                await self._messages(connection)
        except MalformedError as why:
            connection.complain("malformed", f"the connection of {connection.peer} was closed: {why}")

    async def _messages(self, connection: Connection) -> None:
        framing, held = Framing(self._most), 0
        window = anyio.Semaphore(WINDOW)
        try:
            async with anyio.create_task_group() as commits:
                while data := await connection.receive():
                    found = framing.feed(data)
                    self._held += framing.held - held
                    held = framing.held
                    if self._held > MOST_HELD:
                        raise MalformedError(f"{MOST_HELD} bytes of unfinished chunks are held already")
                    for raw in found:
                        message = read_message(raw)
                        if message is None:
                            continue
                        if message.chunk is None:
                            await self._gatherer.put(message, len(raw), raw.count(b"\x92") + 1)
                            continue
                        await window.acquire()
                        receipt = await self._sent(message, len(raw))
                        if receipt is None:
                            return
                        commits.start_soon(self._acknowledge, connection, message.chunk, receipt, window)
                    connection.mark(unfinished=framing.held > 0, progress=bool(found))
        except BaseExceptionGroup as group:
            malformed, others = group.split(MalformedError)
            if others is not None or malformed is None:
                raise
            raise MalformedError(str(malformed.exceptions[0])) from None
        finally:
            self._held -= held

    async def _sent(self, message: Message, size: int) -> Receipt | None:
        """The receipt of a chunk; None: it was not taken, and the client will send it again over another connection."""
        batch = await in_worker(self._read, [message], limiter=self._threads)
        chunk = message.chunk or ""
        key = f"fluent_forward/{chunk}" if 0 < len(chunk) <= _LONGEST_CHUNK and chunk.isprintable() else None
        try:
            return await self._outlet.send(batch, key=key, received=size)
        except (RetryableError, RejectedError):
            return None

    async def _acknowledge(self, connection: Connection, chunk: str, receipt: Receipt, window: anyio.Semaphore) -> None:
        """Tell the client of the commit; where there is none, it hears nothing, and sends the chunk again."""
        try:
            await receipt.committed()
            await connection.send(msgpack.packb({"ack": chunk}))
        except (RetryableError, RejectedError):
            await connection.close()
        finally:
            window.release()

    async def _agreed(self, connection: Connection) -> bool:
        """The handshake: HELO, PING, PONG. Both sides prove that they know the key; it never travels."""
        nonce, host = secrets.token_bytes(16), socket.gethostname()
        await connection.send(msgpack.packb(["HELO", {"nonce": nonce, "auth": "", "keepalive": True}]))
        framing = Framing(_PING)
        connection.mark(unfinished=True, progress=True)  # the client has as long as for a message
        answer: list[bytes] = []
        while not answer and (data := await connection.receive()):
            answer = framing.feed(data)
        if not answer:
            return False
        try:
            word, name, salt, digest, *_ = msgpack.unpackb(answer[0], raw=True)
            expected = self._digest(salt, name, nonce)
            right = word == b"PING" and hmac.compare_digest(expected, digest)
        except (ValueError, TypeError, msgpack.UnpackException) as why:
            raise MalformedError("its answer to HELO is no PING; does it know of the shared key?") from why
        reason = "" if right else "shared key mismatch"
        proof = self._digest(salt, host.encode(), nonce).decode() if right else ""
        await connection.send(msgpack.packb(["PONG", right, reason, host, proof]))
        if not right:
            raise MalformedError("it does not know the shared key")
        connection.mark(unfinished=False, progress=True)
        return True

    def _digest(self, salt: bytes, name: bytes, nonce: bytes) -> bytes:
        return hashlib.sha512(salt + name + nonce + self._key.encode()).hexdigest().encode()
