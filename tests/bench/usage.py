"""What a family of processes costs: CPU seconds with those of children already gone, and memory at its peak."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

import psutil

Family = Callable[[], Iterable[psutil.Process]]


def cpu_seconds(family: Iterable[psutil.Process]) -> dict[str, float]:
    """CPU seconds since their start, user and system: of Cordwood, of PostgreSQL, and of both (`total`)."""
    seconds = {"cordwood": 0.0, "postgres": 0.0}
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            who = "postgres" if process.name().startswith("postgres") else "cordwood"
            seconds[who] += times.user + times.system + times.children_user + times.children_system
    return seconds | {"total": sum(seconds.values())}


def resident_bytes(family: Iterable[psutil.Process]) -> int:
    """Resident memory of Cordwood's processes; PostgreSQL's is its operator's to size."""
    total = 0
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            if not process.name().startswith("postgres"):
                total += process.memory_info().rss
    return total


class PeakMemory:
    """Samples the resident memory twenty times a second while it is entered."""

    def __init__(self, family: Family) -> None:
        # Asked for once: walking the process table costs more than it finds.
        self._processes = list(family())
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="peak-memory")
        self.peak_bytes = 0

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            self.peak_bytes = max(self.peak_bytes, resident_bytes(self._processes))

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()


def wait_until_quiet(family: Family, *, share: float = 0.08, for_s: float = 8, at_most_s: float = 900) -> float:
    """Wait until the family has used less than `share` of a core for `for_s` seconds; seconds waited.

    Long enough for work that begins only once it has been quiet for a while.
    """
    began = time.monotonic()
    quiet_since, last = began, cpu_seconds(family())["total"]
    while time.monotonic() - began < at_most_s:
        time.sleep(0.5)
        now = cpu_seconds(family())["total"]
        if now - last > 0.5 * share:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= for_s:
            break
        last = now
    return time.monotonic() - began
