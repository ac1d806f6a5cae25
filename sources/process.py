"""What sources that run a program share: the program with its whole family, its lines within bounds, its complaints."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, Process

from ..plugins import FatalError
from .lots import lots

_COMPLAINT = 2000  # bytes kept of the end of what it says on standard error
_KILL_S = 2.0  # between asking it to end and ending it
_OWN = "CORDWOOD_"  # variables with secrets of ours, which a program of others has no business with


class Program:
    """A program that runs."""

    def __init__(self, process: Process, most: int) -> None:
        assert process.stdout is not None
        self._process, self._out, self._most = process, process.stdout, most
        self._said = bytearray()
        self.overdue = False
        """It was ended, for it took too long."""

    def lots(self) -> AsyncIterator[bytes]:
        """Its output until it closes it, in whole lines, many at once. One that does not end is ended after `most`."""
        return lots(self._read, self._most)

    async def _read(self) -> bytes | None:
        try:
            return await self._out.receive()
        except anyio.EndOfStream:
            return None

    async def ended(self) -> int:
        """Its exit status, as soon as it has ended; of a signal the negative number."""
        return await self._process.wait()

    @property
    def complaint(self) -> str:
        """The last it said on standard error, in one line."""
        return " ".join(self._said[-_COMPLAINT:].decode("utf-8", "backslashreplace").split())

    async def listen(self, stream: ByteReceiveStream) -> None:
        """Read standard error, so that the program need not wait there."""
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while True:
                self._said += await stream.receive()
                del self._said[: -2 * _COMPLAINT]

    async def end_after(self, seconds: float) -> None:
        """End it if it runs for longer."""
        await anyio.sleep(seconds)
        self.overdue = True
        await _end(self._process)


async def run_program(
    command: Sequence[str],
    use: Callable[[Program], Awaitable[None]],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    within: float | None = None,
    most: int,
) -> None:
    """Run a program while `use` reads it; at the end of that, or when cancelled, the program and its children end.

    :param environment: variables beside those of this process; Cordwood's own are never handed on
    :param within: seconds that it may take; then it is ended
    :param most: bytes of a line, about
    :raises FatalError: it is not there, or may not be run
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    try:
        process = await anyio.open_process(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=inherited | dict(environment or {}), cwd=folder, start_new_session=True,
        )  # fmt: skip
    except OSError as why:
        raise FatalError(f"{command[0]} cannot be run: {why.strerror or why}") from why
    program = Program(process, most)
    raised: Exception | None = None
    try:
        async with anyio.create_task_group() as tasks:
            assert process.stderr is not None
            tasks.start_soon(program.listen, process.stderr)
            if within is not None:
                tasks.start_soon(program.end_after, within)
            try:
                await use(program)
            except Exception as why:  # raised again below: out of the task group it would be in a group of its own
                raised = why
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
            await process.aclose()
    if raised is not None:
        raise raised


async def _end(process: Process) -> None:
    """End the program and its children; they are a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with anyio.move_on_after(_KILL_S):
            await process.wait()
            break
    with suppress(ProcessLookupError, PermissionError):  # children that outlive it
        os.killpg(process.pid, signal.SIGKILL)
