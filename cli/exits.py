"""Exit codes, and the errors that a command ends with. Imports nothing of ours, so that `--help` starts at once."""

from __future__ import annotations

from typing import ClassVar, Final

INPUT: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3


class CommandError(Exception):
    """Ends a command with a message and `code`."""

    code: ClassVar[int] = INPUT


class InputError(CommandError):
    """What the user gave, or what the server says about it, is wrong."""


class UnreachableError(CommandError):
    """The server cannot be reached, or cannot answer."""

    code = UNREACHABLE
