"""The bell: how many incidents are open that somebody has not seen, kept for each account."""

from __future__ import annotations

import asyncpg
import msgspec

from ..paging import possible_id


class Bell(msgspec.Struct, frozen=True):
    """What somebody has not seen: open incidents whose number is above `read_upto`."""

    unread: int
    read_upto: int


class Bells:
    """Reads and sets them. Any node; needs only the database. `account` None: of this machine."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def get(self, project_id: int, account: int | None) -> Bell:
        """What there is to see."""
        row = await self._pool.fetchrow(
            """
            select seen.upto, (select count(*) from incident
                               where project_id = $1 and state = 'open' and id > seen.upto) as unread
            from (select coalesce(max(read_upto), 0) as upto from bell
                  where project_id = $1 and user_id is not distinct from $2) seen
            """,
            project_id,
            account,
        )
        assert row is not None
        return Bell(row["unread"], row["upto"])

    async def read(self, project_id: int, account: int | None, upto: int) -> Bell:
        """They have seen all up to this incident. It never goes back, nor beyond the newest incident there is."""
        await self._pool.execute(
            """
            insert into bell as b (project_id, user_id, read_upto)
            select $1, $2, least($3, coalesce((select max(id) from incident where project_id = $1), 0))
            on conflict (project_id, user_id) do update set read_upto = greatest(b.read_upto, excluded.read_upto)
            """,
            project_id,
            account,
            possible_id(upto),
        )
        return await self.get(project_id, account)
