"""A batch worker: jobs that start and finish, are slow sometimes, fail, and are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .sender import Event
from .shop import arrivals

JOBS_PER_S = 1.6
MAX_TRIES = 3

_JOBS = {  # name: (typical seconds, how often it fails, what then)
    "send-receipt": (0.4, 0.03, "SMTPServerDisconnected: connection unexpectedly closed"),
    "resize-image": (1.2, 0.01, "OSError: image file is truncated (17 bytes not processed)"),
    "import-prices": (6.0, 0.05, "ValueError: could not convert string to float: 'n/a'"),
    "sync-warehouse": (3.0, 0.04, "ConnectTimeout: warehouse.example.net:443 did not answer in 10.0 s"),
    "nightly-report": (12.0, 0.02, "MemoryError: cannot allocate 512 MiB for the pivot table"),
}
_OFTEN = (50, 25, 8, 12, 5)


class Worker:
    """Four processes that take jobs from one queue."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._job = 9_000
        self._queue = 12.0

    def second(self, at: int, busy: float) -> list[tuple[float, Event]]:
        """The jobs that start in this second, up to their end; now and then the length of the queue."""
        said: list[tuple[float, Event]] = []
        for start in arrivals(self._random, at, JOBS_PER_S * busy):
            said += self._run(start, 1, *self._next_job())
        if at % 15 == 0:
            self._queue = max(0.0, 0.7 * self._queue + self._random.gauss(4, 3) * busy)
            length = int(self._queue)
            words = f"{length} jobs are waiting" + (", the workers do not keep up" if length > 30 else "")
            told = self._event("WARN" if length > 30 else "DEBUG", words, queue_length=length)
            said.append((at + 0.5, told))
        return said

    def _next_job(self) -> tuple[str, str]:
        self._job += 1
        return f"job-{self._job}", self._random.choices(list(_JOBS), _OFTEN)[0]

    def _run(self, at: float, attempt: int, job: str, name: str) -> Iterator[tuple[float, Event]]:
        """One attempt of a job, and the next where it fails."""
        random = self._random
        typical, fails, why = _JOBS[name]
        told: dict[str, object] = {"job": job, "job.name": name, "attempt": attempt}
        yield at, self._event("INFO", f"{job} {name} started, attempt {attempt}", **told)
        seconds = typical * random.lognormvariate(0, 0.5)
        if random.random() < 0.02:
            seconds *= 6
            words = f"{job} {name} is slow: still running after {4 * typical:.0f} s"
            yield at + 4 * typical, self._event("WARN", words, **told)
        end, told["duration_ms"] = at + seconds, round(seconds * 1000, 1)
        if random.random() >= fails * attempt:
            yield end, self._event("INFO", f"{job} {name} finished in {seconds:.1f} s", **told)
        elif attempt == MAX_TRIES:
            words = f"{job} {name} given up after {attempt} attempts: {why}"
            yield end, self._event("ERROR", words, **told, **{"error.type": why.partition(":")[0]})
        else:
            wait = 5 * 2**attempt
            words = f"{job} {name} failed, next attempt in {wait} s: {why}"
            yield end, self._event("WARN", words, **told, **{"error.type": why.partition(":")[0]})
            yield from self._run(end + wait, attempt + 1, job, name)

    def _event(self, severity: str, message: str, **more: object) -> Event:
        host = f"batch-{1 + self._random.randrange(4)}"
        return {"severity": severity, "service": "worker", "host": host, "message": message, **more}
