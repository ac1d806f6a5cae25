"""The program that runs a script: events come on standard input, what becomes of each goes to standard output.

It is started by its path, and imports nothing of Cordwood. Frames are a length in four bytes and MessagePack. The first
that comes holds the script and its bounds, and is answered by what is wrong with it, or nothing. Each further one holds
events, `[whether each answer goes at once, [event, ...]]`, and has an answer an event: what the script set and what it
took out, `[{field: value}, [field, ...]]`, or a text that says why the event could not be taken.
"""

from __future__ import annotations

import json  # noqa: F401 - the script's `json` uses it, and would not find it once no file may be opened
import os
import resource
import struct
from pathlib import Path
from typing import IO, Any

import msgspec
import starlark

FUNCTION = "apply"
_VALUES = (str, bool, int, float, list, dict, type(None))
_KEPT = ("observed_timestamp", "parse_error")
_LENGTH = struct.Struct(">I")


def module(script: str) -> starlark.FrozenModule:
    """The script, run once: its function is there.

    :raises starlark.StarlarkError: it is wrong
    """
    made = starlark.Module()
    starlark.eval(made, parsed(script), starlark.Globals.extended_by([starlark.LibraryExtension.Json]))
    return made.freeze()


def parsed(script: str) -> starlark.AstModule:
    """The script, read but not run.

    :raises starlark.StarlarkError: it is no Starlark
    """
    dialect = starlark.Dialect.standard()
    dialect.enable_f_strings = True
    dialect.enable_load = False
    return starlark.parse("script", script, dialect)


def answer(script: starlark.FrozenModule, event: dict[str, Any], most: int) -> bytes:
    """What the script makes of an event, packed."""
    try:
        made = script.call(FUNCTION, event)
        packed = msgspec.msgpack.encode(_changes(event, made))
        if len(packed) > most:
            raise ValueError(f"the event that came out has {len(packed):,} bytes, {most:,} are the most")
    except MemoryError:
        packed = msgspec.msgpack.encode("there was no memory left")
    except (starlark.StarlarkError, ValueError, TypeError, OverflowError, RecursionError) as why:
        packed = msgspec.msgpack.encode(_told(why))
    return packed


def _changes(event: dict[str, Any], made: Any) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(made, dict):
        raise TypeError(f"{FUNCTION} returned {_kind(made)}, it must return the event, a dict")
    found = {}
    for name, value in made.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"a field has no name but {str(name)[:60]!r}")
        if not isinstance(value, _VALUES):
            raise TypeError(f"the field {name[:60]} is {_kind(value)}, which no event holds")
        if name not in event or event[name] != value or type(event[name]) is not type(value):
            found[name] = value
    for name in _KEPT:
        if found.get(name) is not None:
            raise ValueError(f"{name} stays as it is")
    gone = [name for name in event if made.get(name) is None and name not in _KEPT and name != "timestamp"]
    return {name: value for name, value in found.items() if value is not None}, gone


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _told(why: Exception) -> str:
    """The last line of a Starlark error's first paragraph says what it is; frames before it are of no use."""
    lines = [line.strip() for line in str(why).splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith("error: ")), lines[0] if lines else type(why).__name__)
    place = next((line.removeprefix("--> ") for line in lines if line.startswith("--> ")), "")
    return (told.removeprefix("error: ") + (f" ({place})" if place else ""))[:400]


def _bound(memory: int) -> None:
    """Let it take so many bytes beyond what it has, and open or write no file."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        taken = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 0)):
        resource.setrlimit(kind, (most, most))
    os.nice(5)


def _frame(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH.size)
    return stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None


def main() -> None:
    """Serve until standard input ends."""
    events, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 65_536)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)

    def tell(packed: bytes) -> None:
        answers.write(_LENGTH.pack(len(packed)) + packed)

    first = _frame(events)
    if first is None:
        return
    given = msgspec.msgpack.decode(first)
    _bound(given["memory"])
    try:
        script = module(given["script"])
    except (starlark.StarlarkError, MemoryError) as why:
        tell(msgspec.msgpack.encode(_told(why)))
        answers.flush()
        return
    tell(msgspec.msgpack.encode(""))
    answers.flush()
    while (frame := _frame(events)) is not None:
        at_once, some = msgspec.msgpack.decode(frame)
        for event in some:
            tell(answer(script, event, given["most"]))
            if at_once:
                answers.flush()
        answers.flush()


if __name__ == "__main__":
    main()
