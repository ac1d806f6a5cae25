"""Posts to Cordwood until it has committed, or the time is over."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx

from ....plugins import RejectedError, RetryableError

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
ANSWER_S = 30.0
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class Sender:
    """A way to one server for `seconds` from now. A bearer of `token`, which may ingest."""

    def __init__(self, url: str, token: str, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(ANSWER_S, connect=5))
        self._clock, self._until = clock, clock() + seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], *, params: Mapping[str, str] | None = None
    ) -> None:
        """Return when it is committed; wait as the server asks. The same is sent again, with the same key in it.

        :raises RetryableError: not within the time
        :raises RejectedError: refused, and so it would be again
        """
        wait = FIRST_WAIT_S
        while True:
            try:
                answer = self._client.post(path, content=body, headers=dict(headers), params=params)
            except httpx.TransportError as why:
                said, after = f"{type(why).__name__}: {why}", 0.0
            else:
                if answer.is_success:
                    return
                said, after = f"{answer.status_code} {answer.text[:200]}", _retry_after(answer)
                if answer.status_code not in _AGAIN:
                    raise RejectedError(f"{path} is refused: {said}")
            pause = max(wait * random.uniform(0.8, 1.2), after)
            if self._clock() + pause >= self._until:
                raise RetryableError(f"{path} is not taken yet: {said}")
            time.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT_S)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that the server asks us to wait, 0 where it says nothing."""
    try:
        return max(0.0, min(float(answer.headers.get("Retry-After", 0)), LONGEST_WAIT_S))
    except ValueError:
        return 0.0
