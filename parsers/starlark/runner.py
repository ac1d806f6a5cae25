"""Has a script run in a process of its own, within bounds: whatever it does, each event gets an answer in time."""

from __future__ import annotations

import logging
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

CHUNK: Final = 200
"""Events that are handed over at once, and share the time."""
CHUNK_BYTES: Final = 1 << 20
_DEATHS: Final = 6  # of a process in one batch: what is left of it is given up
_PAUSE_S: Final = 10.0  # then nothing is run for so long, so that a broken script takes no worker's time
_START_S: Final = 10.0  # beyond the timeout, for a process to start on a busy machine
_LENGTH: Final = struct.Struct(">I")
_CHILD: Final = Path(__file__).with_name("child.py")
_encode = msgspec.msgpack.Encoder().encode
_log = logging.getLogger(__name__)

Answer: TypeAlias = "tuple[dict[str, Any], list[str]] | str"
"""What was set and what was taken out; or why the event could not be taken."""
_answer: Final = msgspec.msgpack.Decoder(tuple[dict[str, Any], list[str]] | str)


class _EndedError(Exception):
    """The process is of no use any more."""


class _Child:
    """A process with the script."""

    def __init__(self, script: str, memory: int, most: int, timeout: float) -> None:
        """:raises _EndedError: the script cannot be run"""
        self._most, self._timeout = most, timeout
        self.answers: list[Answer] = []
        self._process = subprocess.Popen(  # noqa: S603 - our own program, by its path
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._rest = bytearray()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self.end = weakref.finalize(self, _end, self._process)
        deadline = time.monotonic() + timeout + _START_S
        try:
            self._write(_encode({"script": script, "memory": memory, "most": most}), deadline)
            (wrong,) = self._read(1, deadline)
        except _EndedError as why:
            self.end()
            raise _EndedError(f"the script did not start: it {why}") from None
        if problem := msgspec.msgpack.decode(wrong):
            self.end()
            raise _EndedError(problem)

    def ask(self, events: Sequence[bytes], *, at_once: bool) -> None:
        """Have the answers to these events appended to `answers`; `at_once`: each when it is there.

        :raises _EndedError: the process ended or took too long; the answers that came before are there
        """
        deadline = time.monotonic() + self._timeout
        self._write(_encode([at_once, [msgspec.Raw(event) for event in events]]), deadline)
        for packed in self._read(len(events), deadline):
            self.answers.append(_answer.decode(packed))

    def _write(self, packed: bytes, deadline: float) -> None:
        left = memoryview(_LENGTH.pack(len(packed)) + packed)
        while left:
            self._wait(self._in, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._in, left) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _EndedError(self._how()) from None

    def _read(self, frames: int, deadline: float) -> Any:
        while frames:
            while len(self._rest) >= _LENGTH.size:
                (size,) = _LENGTH.unpack_from(self._rest)
                if size > self._most + 1024:
                    raise _EndedError(f"answered {size:,} bytes for an event")
                if len(self._rest) < _LENGTH.size + size:
                    break
                packed = bytes(self._rest[_LENGTH.size : _LENGTH.size + size])
                del self._rest[: _LENGTH.size + size]
                frames -= 1
                yield packed
                if not frames:
                    return
            self._wait(self._out, select.POLLIN, deadline)
            read = os.read(self._out, 1 << 18)
            if not read:
                raise _EndedError(self._how())
            self._rest += read

    def _wait(self, descriptor: int, kind: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, kind)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise _EndedError(f"took longer than {self._timeout:g} s")

    def _how(self) -> str:
        """How the process ended."""
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "closed its pipe"
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return f"{how}: it may have taken more memory than it is allowed"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


class Runner:
    """Runs a script over events, in one process at a time; where it ends, in another one."""

    def __init__(self, script: str, *, memory: int, most: int, timeout: float) -> None:
        self._settings = script, memory, most, timeout
        self._child: _Child | None = None
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._why = ""

    def run(self, events: Sequence[bytes]) -> list[Answer]:
        """An answer for each event, which is packed. Blocking, for a bounded time."""
        with self._lock:
            if time.monotonic() < self._paused_until:
                return [self._why] * len(events)
            return self._run(events)

    def _run(self, events: Sequence[bytes]) -> list[Answer]:
        found: list[Answer] = []
        deaths, at_once = 0, False
        while len(found) < len(events):
            some = _chunk(events, len(found))
            try:
                child = self._child = self._child or _Child(*self._settings)
            except (_EndedError, OSError) as why:
                return self._given_up(found, len(events), str(why))
            child.answers = []
            try:
                child.ask(some, at_once=at_once)
            except _EndedError as why:
                child.end()
                self._child, deaths = None, deaths + 1
                found += child.answers
                if deaths >= _DEATHS:
                    return self._given_up(found, len(events), f"the script {why}")
                if at_once:  # so it is this event
                    found.append(f"the script {why}")
                at_once = not at_once
            else:
                found += child.answers
        return found

    def _given_up(self, found: list[Answer], all_: int, why: str) -> list[Answer]:
        self._paused_until, self._why = time.monotonic() + _PAUSE_S, why
        _log.warning("a script is not run for %.0f s: %s", _PAUSE_S, why)
        return found + [why] * (all_ - len(found))


def _chunk(events: Sequence[bytes], first: int) -> Sequence[bytes]:
    size = 0
    for end in range(first, min(first + CHUNK, len(events))):
        size += len(events[end])
        if size > CHUNK_BYTES and end > first:
            return events[first:end]
    return events[first : first + CHUNK]
