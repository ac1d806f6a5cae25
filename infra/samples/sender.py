"""Sends events to `POST /api/v1/logs`: in batches, each of them until it is acknowledged, each stored once.

An answer 200 means committed. 429, 503 and a broken connection mean: the same batch again, a little later. The
Idempotency-Key makes that safe: a batch that had arrived after all is not stored a second time.
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import anyio
import httpx

Event: TypeAlias = Mapping[str, object]

BATCH_EVENTS = 1000
"""Events in one request at most; a request has a cost of its own, so a few hundred at once are better than one."""

LONGEST_WAIT_S = 20.0
_log = logging.getLogger(__name__)


def timestamp(at: float) -> str:
    """RFC 3339 with microseconds, UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class RefusedError(Exception):
    """The server will never take these events: no such token, or no such address."""


class Sender:
    """A way to one Cordwood server. `token` is an API token that may ingest, where the server asks for one."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, token: str | None = None) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/api/v1/logs"
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._run = uuid.uuid4().hex
        self._sent = 0

    async def send(self, events: Sequence[Event]) -> None:
        """Return when all of them are committed; waits as long as the server needs to come back.

        :raises RefusedError: the server will never take them
        """
        for start in range(0, len(events), BATCH_EVENTS):
            batch = events[start : start + BATCH_EVENTS]
            body = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in batch).encode()
            self._sent += 1
            await self._until_acknowledged(body, key=f"{self._run}-{self._sent}")

    async def _until_acknowledged(self, body: bytes, *, key: str) -> None:
        wait = 0.25
        while True:
            try:
                answer = await self._client.post(
                    self._url, content=body, headers=self._headers | {"Idempotency-Key": key}
                )
            except httpx.TransportError as why:
                _log.debug("no answer from %s: %r", self._url, why)
            else:
                if answer.is_success:
                    return
                if answer.status_code not in (429, 500, 502, 503, 504):
                    raise RefusedError(f"{self._url} answered {answer.status_code}: {answer.text[:300]}")
                wait = max(wait, _retry_after(answer))
            # A random part, so that not all clients come back in the same moment.
            await anyio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(2 * wait, LONGEST_WAIT_S)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that the server asks us to wait, 0 where it says nothing."""
    try:
        return min(float(answer.headers.get("Retry-After", 0)), LONGEST_WAIT_S)
    except ValueError:
        return 0.0
