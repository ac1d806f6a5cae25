"""What a call can end with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CordwoodError(Exception):
    """Any error of this client."""


class UnreachableError(CordwoodError):
    """The server is not there, or could not answer for as long as was waited."""


class RefusedError(CordwoodError):
    """The server refuses: `status` is that of HTTP, `errors` say where (`line`, `column`, `message` of a query)."""

    def __init__(self, status: int, detail: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status, self.detail, self.errors = status, detail, tuple(errors)
