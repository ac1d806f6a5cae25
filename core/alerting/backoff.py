"""When to try again: exponential, with jitter, so that many notifications do not knock at the same moment."""

from __future__ import annotations

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 300.0
LONGEST_ASKED_SECONDS = 3_600.0  # a Retry-After beyond is not waited for: nobody wants an alert a day later
GIVE_UP_SECONDS = 24 * 3_600.0


def retry_seconds(attempts: int, chance: float, asked: float | None = None) -> float:
    """Seconds until the next attempt after `attempts` failed ones; `chance` is a random number from 0 to 1.

    `asked`: what the other side said (Retry-After); it is never undercut.

    >>> [retry_seconds(n, 0.5) for n in (1, 2, 3, 9, 500)]
    [1.0, 2.0, 4.0, 256.0, 300.0]
    >>> retry_seconds(1, 0.0), retry_seconds(1, 1.0), retry_seconds(3, 0.5, asked=30)
    (0.75, 1.25, 30)
    """
    wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts - 1, 20)) * (0.75 + chance / 2)
    return max(wait, min(asked, LONGEST_ASKED_SECONDS)) if asked is not None else wait
