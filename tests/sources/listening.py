"""What the tests of sources that listen share: such a source in this process, connections, certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import trustme
from anyio.abc import SocketStream
from cordwood.plugins import Source
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore

from ..conftest import free_port

__all__ = ["at", "certificates", "connected", "free_port", "listening", "messages", "send", "until"]


def at(port: int) -> str:
    return f"127.0.0.1:{port}"


@asynccontextmanager
async def listening(source: Source[Any], outlet: MemoryOutlet | None = None) -> AsyncIterator[MemoryStore]:
    """The source runs, and what it takes in is committed; leaving cancels it."""
    outlet = outlet or MemoryOutlet(MemoryStore())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.run, outlet)
        yield outlet.store
        tasks.cancel_scope.cancel()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for it; what follows asks whether it came about."""
    with anyio.move_on_after(seconds):
        while not condition():
            await anyio.sleep(0.005)


async def messages(store: MemoryStore, count: int) -> list[dict[str, Any]]:
    """Exactly so many events arrive, and no more for a moment."""
    await until(lambda: len(store.lines) >= count)
    await anyio.sleep(0.05)
    assert len(store.lines) == count, [line[:80] for line in store.lines[:20]]
    return [event for batch in store.batches for event in batch.events()]


async def connected(port: int) -> SocketStream:
    """A connection, as soon as somebody listens."""
    with anyio.fail_after(10):
        while True:
            try:
                return await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(0.01)


async def send(port: int, data: bytes) -> None:
    """Send it in one go and close right away."""
    async with await connected(port) as stream:
        await stream.send(data)


def certificates(folder: Path) -> dict[str, Path]:
    """PEM files of an authority, of a server at 127.0.0.1, of a client, and of another authority with its client."""
    made: dict[str, Path] = {}
    for prefix in ("", "other_"):
        authority = trustme.CA()
        made[f"{prefix}ca"] = folder / f"{prefix}ca.pem"
        authority.cert_pem.write_to_path(str(made[f"{prefix}ca"]))
        for name in ("server", "client"):
            issued = authority.issue_cert("127.0.0.1", "localhost", common_name="localhost")
            for part, pem in (("", issued.cert_chain_pems), ("_key", [issued.private_key_pem])):
                path = made[f"{prefix}{name}{part}"] = folder / f"{prefix}{name}{part}.pem"
                path.write_bytes(b"".join(one.bytes() for one in pem))
    return made
