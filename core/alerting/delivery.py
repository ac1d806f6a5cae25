"""Delivers the outbox: each notifier on its own, so that a dead channel delays no other.

At least once: the answer is written after the delivery, so a crash between the two delivers the same `delivery_id`
again. An incident's `resolved` waits until its `opened` is sent or has failed for good. What is too much for a notifier
with a `rate_limit` goes out as one digest (see `throttle`).
"""

from __future__ import annotations

import logging
import random
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from ...plugins import Chart, DeliveryError, Notifier, NotifierConfig, RetryableError, rfc3339, worded
from ..storage.leader import Session
from .backoff import GIVE_UP_SECONDS, retry_seconds
from .chart import Shown
from .letters import ROW, Letter, Letters
from .metrics import AlertingMetrics
from .records import to_datetime, to_ns
from .samples import storable
from .throttle import Throttle

AT_ONCE = 4  # deliveries of one notifier that are on the way at the same time
POLL_SECONDS = 2.0  # another node may have added to the outbox: a person resolved an incident there
PLUGIN_SECONDS, REPORT_SECONDS = 60.0, 120.0  # a notifier that takes longer hangs; a report has files
MAX_DETAIL = 500  # characters of an answer that are kept
_log = logging.getLogger(__name__)

# Of an incident's notifications only the oldest that is pending.
_FIRST = """
n.project_id = $1 and n.notifier = $2 and n.status = 'pending' and not exists (
    select from notification e
    where e.incident_id = n.incident_id and e.notifier = n.notifier and e.status = 'pending' and e.id < n.id)
"""
_DUE = f"""
{ROW} where {_FIRST} and n.next_attempt_at <= $3
order by n.sent_as is null, n.next_attempt_at, n.id limit $4
"""
_NEXT = f"select min(n.next_attempt_at) from notification n where {_FIRST}"  # noqa: S608


async def _no_chart(_: Shown) -> None:
    return None


class Delivery:
    """The deliveries of one notifier. `deliver_due` is one round; `run` decides when."""

    def __init__(
        self,
        name: str,
        notifier: Notifier[Any],
        *,
        session: Session,
        project_id: int,
        link: Callable[[int], str],
        acknowledge: Callable[[int, int, str], str] = lambda *_: "",
        report: Callable[[str], str] = lambda _: "",
        chart: Callable[[Shown], Awaitable[Chart | None]] = _no_chart,
        clock: Callable[[], int],
        metrics: AlertingMetrics,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name, self._notifier = name, notifier
        self._session, self._project = session, project_id
        self._letters = Letters(project_id, name, link, acknowledge, report)
        shared = notifier.config if isinstance(notifier.config, NotifierConfig) else NotifierConfig()
        self._throttle, self._template = Throttle(project_id, name, shared.rate_limit), shared.template
        self._chart, self._clock, self._metrics, self._chance = chart, clock, metrics, chance
        self._wake = anyio.Event()

    def wake(self) -> None:
        """There may be new notifications."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver whatever is due, until cancelled."""
        while True:
            self._wake = anyio.Event()
            try:
                wait = await self.deliver_due()
            except RetryableError as why:
                _log.warning("notifier %s: %s; trying again", self.name, why)
                wait = POLL_SECONDS
            with anyio.move_on_after(min(wait, POLL_SECONDS)):
                await self._wake.wait()

    async def once(self) -> None:
        """Deliver until nothing is due.

        :raises RetryableError: the database does not answer
        """
        while await self.deliver_due() <= 0:
            pass

    async def deliver_due(self) -> float:
        """Deliver what is due now; answers in how many seconds more will be.

        :raises RetryableError: the database does not answer
        """
        now = to_datetime(self._clock())
        letters, ends = await self._picked(now)
        async with anyio.create_task_group() as tasks:
            for letter in letters:
                tasks.start_soon(self._deliver, letter)
        async with self._session.transaction() as connection:
            soonest = await connection.fetchval(_NEXT, self._project, self.name)
        if soonest is None:
            return POLL_SECONDS
        if not letters and ends is not None:  # what is due waits for the end of the window
            soonest = max(soonest, ends)
        return max(0.0, (to_ns(soonest) - self._clock()) / 1e9)

    async def _picked(self, now: datetime) -> tuple[list[Letter], datetime | None]:
        """What goes out now; nothing, where the `rate_limit` has no room until the moment that is answered beside."""
        async with self._session.transaction() as connection:
            room, ends = await self._throttle.room(connection, now)
            if room == 0:
                await self._throttle.wait(connection, now)
                return [], ends
            rows = await connection.fetch(_DUE, self._project, self.name, now, AT_ONCE)
            letters = await self._letters.of(connection, [dict(row) for row in rows], room)
            alone = [id_ for letter in letters if not letter.is_digest for id_ in letter.ids]
            await self._throttle.take(connection, len(letters), alone, now)
        return letters, None

    async def _deliver(self, letter: Letter) -> None:
        tried, again = letter.tried, None
        seconds = REPORT_SECONDS if letter.notification.event == "report" else PLUGIN_SECONDS
        try:
            with anyio.fail_after(seconds):
                message, fault = await worded(self._template, letter.notification)
                if letter.shown is not None and self._notifier.shows_chart:
                    message = replace(message, chart=await self._chart(letter.shown))
                detail, ok = await self._notifier.notify(message), True
                detail += f"; in the usual words, for {fault}" if fault else ""
        except RetryableError as why:
            detail, ok, again = str(why), False, retry_seconds(tried, self._chance(), why.after)
        except DeliveryError as why:  # rejected or fatal: the same will not succeed
            detail, ok = str(why), False
        except TimeoutError:
            detail, ok, again = f"no answer within {seconds:.0f} s", False, retry_seconds(tried, self._chance())
        except Exception as why:  # a notifier may be a stranger's code: whatever it raises must not stop the others
            detail, ok, again = f"{type(why).__name__} in the notifier", False, retry_seconds(tried, self._chance())
            place = traceback.extract_tb(why.__traceback__)[-1]  # without the message: it may hold an address or a key
            _log.error(
                "notifier %s has a defect: %s at %s:%s", self.name, type(why).__name__, place.filename, place.lineno
            )
        await self._record(letter, detail, ok=ok, again=again)

    async def _record(self, letter: Letter, detail: str, *, ok: bool, again: float | None) -> None:
        now_ns = self._clock()
        now = to_datetime(now_ns)
        if again is not None and (now_ns - to_ns(letter.created_at)) / 1e9 + again > GIVE_UP_SECONDS:
            again = None
        status = "sent" if ok else "failed" if again is None else "pending"
        detail = storable(f"in a digest: {detail}" if letter.is_digest else detail)[:MAX_DETAIL]
        async with self._session.transaction() as connection:
            await connection.execute(
                """
                update notification
                set attempts = attempts || $2::jsonb, status = $3, next_attempt_at = $4,
                    sent_at = $5, error = $6
                where id = any($1::bigint[]) and status = 'pending'
                """,
                list(letter.ids),
                [{"at": rfc3339(now), "ok": ok, "detail": detail}],
                status,
                now + timedelta(seconds=again or 0),
                now if ok else None,
                None if ok else detail,
            )
        self._metrics.notifications.labels(self.name, "retried" if status == "pending" else status).inc(len(letter.ids))
        id_ = letter.notification.delivery_id
        if status == "failed":
            _log.error("notifier %s: notification %s is given up: %s", self.name, id_, detail)
        elif not ok and letter.tried == 1:
            _log.warning("notifier %s: notification %s: %s; trying again", self.name, id_, detail)
