"""How many messages a notifier may send now, by its `rate_limit`, and what becomes of those that are too many.

A window begins with a message and lasts `within`. Once its messages are used up, what else is due waits for its end,
and goes out then as one digest, the first message of the next window. Both are in the database: which window it is, and
for each notification the delivery id that it goes out under, its own or that of a digest. That is written before
anything is sent and never changes, so that what is sent again after a crash is the same message under the same id.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from ...plugins import RateLimit, duration_ns
from ..storage.database import Connection

# Due, not decided yet, and no notification of the incident before it goes out by itself. A report has files: not in it.
_WAITING = """
select n.id from notification n
where n.project_id = $1 and n.notifier = $2 and n.status = 'pending' and n.sent_as is null and n.next_attempt_at <= $3
  and n.incident_id is not null and not exists (
    select from notification e
    where e.incident_id = n.incident_id and e.notifier = n.notifier and e.status = 'pending' and e.id < n.id
      and (e.sent_as is not null or e.next_attempt_at > $3))
order by n.id
"""

_FULL = f"""
update notifier_window set is_full = true
where project_id = $1 and notifier = $2 and not is_full and exists ({_WAITING})
"""  # noqa: S608 - made of constants


class Throttle:
    """The limit of one notifier; None: there is none."""

    def __init__(self, project_id: int, notifier: str, limit: RateLimit | None) -> None:
        self._key = (project_id, notifier)
        self._messages = None if limit is None else limit.messages
        self._within = timedelta(0) if limit is None else timedelta(microseconds=duration_ns(limit.within) // 1_000)

    async def room(self, connection: Connection, now: datetime) -> tuple[int | None, datetime | None]:
        """How many messages may go out now, None: any number; and when the window ends, if it is not over.

        When a window is over in which something had to wait, that becomes a digest.
        """
        if self._messages is None:
            return None, None
        row = await connection.fetchrow(
            "select began_at, attempts, is_full from notifier_window where project_id = $1 and notifier = $2",
            *self._key,
        )
        if row is not None and row["began_at"] <= now < row["began_at"] + self._within:
            return max(0, self._messages - row["attempts"]), row["began_at"] + self._within
        if row is not None and row["is_full"]:
            await self._gather(connection, now)
        return self._messages, None

    async def wait(self, connection: Connection, now: datetime) -> None:
        """No message may go out: have what is due, if anything is, wait for the window's end."""
        await connection.execute(_FULL, *self._key, now)

    async def take(self, connection: Connection, messages: int, alone: list[int], now: datetime) -> None:
        """So many messages go out now, those notifications (by their rows) each by itself."""
        if self._messages is None or not messages:
            return
        await connection.execute(
            "update notification set sent_as = delivery_id where id = any($1::bigint[]) and sent_as is null", alone
        )
        await connection.execute(
            """
            insert into notifier_window as w (project_id, notifier, began_at, attempts) values ($1, $2, $3, $4)
            on conflict (project_id, notifier) do update set
                attempts = case when $3 >= w.began_at and $3 < w.began_at + $5 then w.attempts else 0 end + $4,
                is_full = w.is_full and $3 >= w.began_at and $3 < w.began_at + $5,
                began_at = case when $3 >= w.began_at and $3 < w.began_at + $5 then w.began_at else $3 end
            """,
            *self._key,
            now,
            messages,
            self._within,
        )

    async def _gather(self, connection: Connection, now: datetime) -> None:
        """Make a digest of what waits; of one alone nothing is to be gathered."""
        await connection.execute(
            "update notifier_window set is_full = false where project_id = $1 and notifier = $2", *self._key
        )
        waiting = [row["id"] for row in await connection.fetch(_WAITING, *self._key, now)]
        if len(waiting) < 2:
            return
        digest = uuid4()
        await connection.execute("update notification set sent_as = $2 where id = any($1::bigint[])", waiting, digest)
