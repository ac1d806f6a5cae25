"""The error tree. What the caller does next decides the class:

CordwoodError
├── ConfigError      the operator mends the YAML or a setting      exit 1, nothing starts
├── PluginError      a package is broken or of another API version  reported, the others load
├── QueryError       the user mends the query                       HTTP 400 with line, column and hint
└── DeliveryError    one batch or notification did not get through
    ├── RetryableError   the same may succeed later                 wait `after` seconds, send again
    │   ├── CheckpointConflictError  another writer moved the position   read it anew, go on from there
    │   └── LimitError       a limit is reached                      HTTP 429; others wait
    ├── RejectedError    the same will never succeed                keep it aside, tell, go on
    │   ├── DeniedError      who sent it is not known, or may not     tell the peer
    │   └── PartlyRejectedError  some events of a lot never will     keep those aside; the others are taken
    └── FatalError       nothing more will succeed                  stop this plugin, tell the operator
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_JSON: Final = (ValueError, RecursionError)
"""What reading JSON from outside raises: msgspec's errors and those of text that is no UTF-8 are ValueErrors, and what
is nested too deeply is a RecursionError."""


class CordwoodError(Exception):
    """Root of all errors that Cordwood raises on purpose; the message says what, where and what to do."""


class ConfigError(CordwoodError):
    """A setting is wrong. `line` and `column` count from 1 and are 0 where there is no file to point at."""

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.file, self.line, self.column, self.hint = message, file, line, column, hint

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column} " if self.line else f"{self.file} " if self.file else ""
        return f"{place}{self.message}{f'; {self.hint}' if self.hint else ''}"


class PluginError(CordwoodError):
    """A plugin package cannot be used: it fails to import, or was made for another major version of the API."""


class QueryError(CordwoodError):
    """A query is wrong. `line` and `column` count from 1; `text` is the whole query, for the caret."""

    def __init__(self, message: str, *, text: str = "", line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.text, self.line, self.column, self.hint = message, text, line, column, hint

    def pretty(self) -> str:
        """The line of the query with a caret under the place, the message, and the hint."""
        lines = self.text.splitlines() or [""]
        shown = lines[min(self.line, len(lines)) - 1].replace("\t", " ")
        caret = " " * (self.column - 1) + "^"
        return "\n".join(
            part for part in (shown, caret, f"{self.line}:{self.column} {self.message}", self.hint) if part
        )


class DeliveryError(CordwoodError):
    """A batch or a notification did not get through."""


class RetryableError(DeliveryError):
    """The same may succeed later; `after` is the number of seconds to wait, if the other side said one."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class CheckpointConflictError(RetryableError):
    """Somebody else moved the source's position since it was read: nothing was stored."""


class LimitError(RetryableError):
    """A limit is reached: nothing was stored. `limit` is its name in the YAML, `value` what it is set to."""

    def __init__(self, message: str, *, limit: str, value: int, after: float) -> None:
        super().__init__(message, after=after)
        self.limit, self.value = limit, value


class RejectedError(DeliveryError):
    """The same will never succeed: bad input, or refused for good by the other side."""


class DeniedError(RejectedError):
    """Who sends it is not known, or (`known`) may not."""

    def __init__(self, message: str, *, known: bool) -> None:
        super().__init__(message)
        self.known = known


class PartlyRejectedError(RejectedError):
    """Some events of a lot will never be taken: `rows` has their numbers, from 0, with the reasons. All others are."""

    def __init__(self, message: str, rows: Mapping[int, str]) -> None:
        super().__init__(message)
        self.rows = rows


class FatalError(DeliveryError):
    """Nothing more will succeed through this plugin until an operator acts."""
