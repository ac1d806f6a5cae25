"""How far detectors have come that found nothing and have nothing open: one write for all, every few seconds.

Nobody is told of it, so no transaction of their own is worth it. After a crash they judge these few seconds again.
"""

from __future__ import annotations

import logging
from typing import Final

import anyio

from ...plugins import RetryableError
from ..storage.leader import Session
from .records import to_datetime

EVERY_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


class Idle:
    """Of one project's detectors, by name: up to which time and position nothing was found."""

    def __init__(self, session: Session, project_id: int) -> None:
        self._session, self._project = session, project_id
        self._come: dict[str, tuple[int, int]] = {}

    def note(self, name: str, at_ns: int, position: int) -> None:
        """This detector has nothing to tell up to here."""
        self._come[name] = at_ns, position

    async def run(self) -> None:
        """Write now and then, until cancelled."""
        while True:
            await anyio.sleep(EVERY_SECONDS)
            try:
                await self.write()
            except RetryableError as why:
                _log.warning("alerting: %s; how far the detectors have come is written later", why)

    async def write(self) -> None:
        """Write what was noted.

        :raises RetryableError: the database does not answer; nothing was written, and the next time it is tried again
        """
        come = dict(self._come)
        if not come:
            return
        async with self._session.transaction() as connection:
            await connection.execute("set local synchronous_commit = off")
            await connection.execute(
                """
                update detector_state
                set evaluated_until = greatest(evaluated_until, come.at), position = greatest(position, come.upto),
                    last_run_at = greatest(last_run_at, come.at)
                from unnest($2::text[], $3::timestamptz[], $4::bigint[]) as come (detector, at, upto)
                where project_id = $1 and name = come.detector and active
                """,
                self._project,
                list(come),
                [to_datetime(at_ns) for at_ns, _ in come.values()],
                [position for _, position in come.values()],
            )
        self._come = {name: there for name, there in self._come.items() if come.get(name) != there}
