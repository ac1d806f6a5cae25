"""Plays the sample applications: an hour that has just passed, where the store is empty, and then the present."""

from __future__ import annotations

import heapq
import itertools
import logging
import random
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import anyio
import httpx

from .mobile import Mobile
from .sender import Event, RefusedError, Sender, timestamp
from .sensors import Sensors
from .shop import Shop
from .worker import Worker

PAST_S = 3600
"""Length of the hour that an empty store gets at once, in seconds."""

QUIET = 0.05
"""How busy that hour begins; it grows to 1 towards the present, as on a morning."""

INCIDENT_S = (2000, 1820)
"""The past's payment outage, in seconds before now: from, to."""

SURGE_EVERY_S, SURGE_S, SURGE = 240, 30, 2.2
_log = logging.getLogger(__name__)


class Application(Protocol):
    """What a sample application is: asked for each second of its life what it says."""

    def second(self, at: int, busy: float) -> list[tuple[float, Event]]:
        """(time, event without timestamp) of all that begins in this second; what follows from it may come later.

        `at` and the times are seconds since the epoch; `busy` is 1 in normal times.
        """


async def run_demo(url: str, *, token: str | None = None, seed: int = 7) -> None:
    """Let the sample applications log to the server at `url` until cancelled; `token` may ingest and query there."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(30, connect=5)) as client:
        now = int(time.time())
        past = PAST_S if await _is_empty(client, url, token) else 0
        outages = [(now - INCIDENT_S[0], now - INCIDENT_S[1])] if past else []
        applications: Sequence[Application] = (
            Shop(random.Random(seed), opened=now, outages=outages),
            Worker(random.Random(seed + 1)),
            Sensors(random.Random(seed + 2)),
            Mobile(random.Random(seed + 3)),
        )
        try:
            async with anyio.create_task_group() as tasks:
                for application in applications:
                    tasks.start_soon(_play, application, Sender(client, url, token=token), now - past, now)
        except* RefusedError as refused:
            _log.warning("the sample applications stop: %s", refused.exceptions[0])


async def _play(application: Application, sender: Sender, start: int, now: int) -> None:
    """Send what the application says from `start` on: up to now at once, then as time goes by."""
    backlog: list[Event] = []
    for second, events in in_order(application, start, now):
        backlog += events
        wait = second + 1 - time.time()
        if wait > 0 or len(backlog) >= 1000:
            await anyio.sleep(max(0, wait))
            await sender.send(backlog)
            backlog = []


def in_order(application: Application, start: int, now: int) -> Iterator[tuple[int, list[Event]]]:
    """For each second from `start` on: its events in the order of time, now with their timestamps. Endless."""
    waiting: list[tuple[float, int, Event]] = []
    order = itertools.count()
    for second in itertools.count(start):
        for at, event in application.second(second, busy(second, now)):
            heapq.heappush(waiting, (at, next(order), event))
        due: list[Event] = []
        while waiting and waiting[0][0] < second + 1:
            at, _, event = heapq.heappop(waiting)
            due.append({"timestamp": timestamp(at), **event})
        yield second, due


def busy(second: int, now: int) -> float:
    """How much is going on: 1 in normal times, more in a surge, little in the hour before `now`."""
    level = SURGE if second % SURGE_EVERY_S < SURGE_S else 1.0
    return level if second >= now else level * (QUIET + (1 - QUIET) * 2 ** ((second - now) / 90))


async def _is_empty(client: httpx.AsyncClient, url: str, token: str | None) -> bool:
    """Whether the store holds no event; where it does not say, assume that it has some."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = await client.post(
            f"{url.rstrip('/')}/api/v1/query", json={"query": "| stats count() as n"}, headers=headers
        )
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["rows"] == [[0]]
