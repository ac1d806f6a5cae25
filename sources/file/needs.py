"""What a source of files needs: that what its globs find can be read, and that there is something to find."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio.to_thread

from ...plugins import FatalError, Need
from .scan import Scanner

_SHOWN = 3  # paths in a message


def files_readable(include: Sequence[str], exclude: Sequence[str]) -> list[Need]:
    """One for each glob."""
    return [_one(pattern, exclude) for pattern in include]


def _one(pattern: str, exclude: Sequence[str]) -> Need:
    async def trial(_: AsyncExitStack) -> str:
        return await anyio.to_thread.run_sync(_read, pattern, exclude, abandon_on_cancel=True)

    return Need("include", f"read {pattern}", trial)


def _read(pattern: str, exclude: Sequence[str]) -> str:
    found = Scanner([pattern], exclude).scan()
    refused = []
    for seen in found:
        try:
            with Path(seen.path).open("rb") as file:
                file.read(1)
        except OSError as why:
            refused.append(f"{seen.path} ({why.strerror or why})")
    if refused:
        named = ", ".join(refused[:_SHOWN]) + (f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else "")
        raise FatalError(f"cannot be read: {named}; give the user that runs Cordwood the right to")
    if found:
        return ""
    whole = Path(pattern).expanduser().absolute()
    folder = next(path for path in whole.parents if not glob.has_magic(str(path)))
    try:
        list(folder.iterdir())
    except OSError as why:
        said = f"the folder {folder} cannot be read: {why.strerror or why}"
        raise FatalError(f"{said}; make it, mend the path, or give the user that runs Cordwood the right to") from why
    return "no file is there yet; it is followed once there is one"
