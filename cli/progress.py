"""How far a long command has come: a bar on a terminal, a line now and then where standard error is piped."""

from __future__ import annotations

import sys
import time
from typing import Any

from .output import say

_EVERY_S = 10.0


class Progress:
    """`with Progress("backing up") as progress: progress(done, total)`; may be called from any thread.

    Counts bytes, or whatever the `unit` is.
    """

    def __init__(self, what: str, *, unit: str = "") -> None:
        self._what, self._unit = what, unit
        self._bar: Any = None
        self._task: Any = None
        self._last = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            figures = (MofNCompleteColumn(), TextColumn(self._unit)) if self._unit else (DownloadColumn(),)
            columns = (TextColumn("{task.description}"), BarColumn(), *figures, TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._what, total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """So many of so many are done."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            shown = f"{done} of {total} {self._unit}" if self._unit else f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            say(f"{self._what}: {shown}")
