"""Datagrams: read in bursts, straight from the socket; what the kernel had no room for is counted."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import anyio
from anyio.abc import TaskStatus

from .address import host_port, no_listener

Burst: TypeAlias = Sequence[tuple[bytes, str]]
"""Datagrams that were waiting, each with its sender's address; "" where it has none."""
BURST = 1024
"""Datagrams taken before they are handed on: the loop has other work too."""
_LARGEST = 65_536
_KERNEL = 8 * 1024 * 1024  # asked of the kernel as the socket's buffer, which gives what `net.core.rmem_max` allows


def open_udp(address: str) -> socket.socket:
    """A socket that is bound there.

    :raises RetryableError: somebody else has the address
    :raises FatalError: it cannot be had
    """
    host, port = host_port(address)
    try:
        family, kind, number, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, kind, number)
    except OSError as why:
        raise no_listener(f"udp {address}", why) from why
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL)
        opened.setblocking(False)
        opened.bind(where)
    except OSError as why:
        opened.close()
        raise no_listener(f"udp {address}", why) from why
    return opened


def open_unix(path: str) -> socket.socket:
    """A datagram socket at this path, that every user of the machine may write to, as to `/dev/log`.

    A socket that nobody listens at, left by a crash, is replaced; another file is not.

    :raises RetryableError: somebody listens there
    :raises FatalError: it cannot be made
    """
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        _clear(path)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL)
        opened.setblocking(False)
        opened.bind(path)
        Path(path).chmod(0o666)
    except OSError as why:
        opened.close()
        raise no_listener(path, why) from why
    return opened


def _clear(path: str) -> None:
    """Remove a socket that nobody listens at any more."""
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)


class Datagrams:
    """What arrives at the socket that `opener` opens, burst by burst, until cancelled."""

    def __init__(self, opener: Callable[[], socket.socket], take: Callable[[Burst], Awaitable[Any]]) -> None:
        self._opener, self._take = opener, take
        self._socket: socket.socket | None = None
        self._dropped = 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Read; while `take` waits, the kernel keeps what fits into its buffer and drops the rest.

        :raises RetryableError: somebody else has the address
        :raises FatalError: it cannot be had
        """
        opened = self._socket = self._opener()
        try:
            task_status.started()
            while True:
                await anyio.wait_readable(opened)
                if burst := _waiting(opened):
                    await self._take(burst)
        finally:
            self._dropped, self._socket = self.dropped, None
            if opened.family == socket.AF_UNIX:
                _remove(opened)
            opened.close()

    @property
    def dropped(self) -> int:
        """Datagrams that came and found no room in the kernel; 0 where it does not say (Linux does, of UDP)."""
        opened = self._socket
        return self._dropped if opened is None or opened.family == socket.AF_UNIX else _drops(opened)


def _remove(opened: socket.socket) -> None:
    Path(opened.getsockname()).unlink(missing_ok=True)


def _waiting(opened: socket.socket) -> Burst:
    found: list[tuple[bytes, str]] = []
    with contextlib.suppress(BlockingIOError, ConnectionError):
        while len(found) < BURST:
            data, sender = opened.recvfrom(_LARGEST)
            found.append((data, sender[0] if isinstance(sender, tuple) else ""))
    return found


def _drops(opened: socket.socket) -> int:
    """What the kernel's table of UDP sockets says under `drops`."""
    inode = str(os.fstat(opened.fileno()).st_ino)
    table = Path("/proc/net/udp6" if opened.family == socket.AF_INET6 else "/proc/net/udp")
    with contextlib.suppress(OSError):
        for line in table.read_text().splitlines()[1:]:
            words = line.split()
            if len(words) > 12 and words[9] == inode:
                return int(words[12])
    return 0
