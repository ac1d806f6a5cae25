"""The patterns that people shaped, in PostgreSQL: made of others, changed, undone; each change is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from ...plugins.errors import RejectedError
from ...plugins.patterns import PLACEHOLDER
from ..paging import Page, before, page, possible_id
from ..storage.audit import audit
from ..storage.database import Connection
from .shaped import LONGEST, MOST_TEXTS, Shaped, ShapedPattern

MOST: Final = 200  # of a project
MOST_TEXTS_IN_ALL: Final = 500  # each is a regular expression that distinct masks are held against
MOST_WITH_DIGITS: Final = 50  # of those: they are held against messages
MOST_SPLIT: Final = 20  # each takes a value out of every message
LONGEST_NAME: Final = 100  # characters


class TakenError(RejectedError):
    """A text or a name is another pattern's."""


class ChangedError(RejectedError):
    """It was changed since it was read."""


class Stored(msgspec.Struct, frozen=True):
    """One of them and its story."""

    id: int
    pattern: ShapedPattern
    version: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str


class ShapedStore:
    """Makes, lists, changes and undoes them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def shaped(self, project_id: int) -> Shaped:
        """See `shaped.ShapedPatterns`."""
        rows = await self._pool.fetch("select * from shaped_pattern where project_id = $1 order by id", project_id)
        return Shaped(_stored(row).pattern for row in rows)

    async def page(self, project_id: int, cursor: str | None, limit: int) -> Page[Stored]:
        """Newest first.

        :raises QueryError: the cursor is none of ours
        """
        rows = await self._pool.fetch(
            "select * from shaped_pattern where project_id = $1 and id < $2 order by id desc limit $3",
            *(project_id, before(cursor), limit + 1),
        )
        return page([_stored(row) for row in rows], limit, lambda one: str(one.id))

    async def get(self, project_id: int, number: int) -> Stored | None:
        """The one of this number."""
        row = await self._pool.fetchrow(
            "select * from shaped_pattern where project_id = $1 and id = $2", project_id, possible_id(number)
        )
        return None if row is None else _stored(row)

    async def create(self, project_id: int, wanted: ShapedPattern, who: str) -> tuple[Stored, list[Stored]]:
        """Keep a new one, and those that went into it: whose texts it has are merged into it.

        :raises TakenError: its one text, or its name, is another's already
        :raises RejectedError: it cannot be, or there are too many
        """
        _check(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            others = await _others(connection, project_id)
            merged = [one for one in others if set(one.pattern.patterns) & set(wanted.patterns)]
            if merged and len(wanted.patterns) == 1:
                raise TakenError(f"this pattern is shaped already, as number {merged[0].id}; change that one")
            if any(one.pattern.split is not None for one in merged):
                raise TakenError("one of the patterns is split; undo that first, or merge its values")
            texts = dict.fromkeys([*wanted.patterns, *(text for one in merged for text in one.pattern.patterns)])
            name = wanted.name or next((one.pattern.name for one in merged if one.pattern.name), None)
            wanted = ShapedPattern(tuple(texts), name, wanted.split)
            rest = [one for one in others if one not in merged]
            _check_all(wanted, rest)
            gone = [one.id for one in merged]
            await connection.execute("delete from shaped_pattern where id = any($1::bigint[])", gone)
            row = await connection.fetchrow(
                """
                insert into shaped_pattern (project_id, patterns, name, split, created_by, changed_by)
                values ($1, $2, $3, $4, $5, $5) returning *
                """,
                *(project_id, list(wanted.patterns), wanted.name, wanted.split, who),
            )
            assert row is not None
            await audit(connection, who, "pattern.create", project_id=project_id, **_told(row), merged=gone)
        return _stored(row), merged

    async def change(
        self, project_id: int, number: int, wanted: ShapedPattern, who: str, version: int | None
    ) -> Stored | None:
        """Make it say something else, if it is still at this version (None: whichever); None: there is none.

        :raises ChangedError: it is at another version
        :raises TakenError: a text or the name is another's already
        :raises RejectedError: it cannot be
        """
        _check(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            others = await _others(connection, project_id)
            if (found := _at(others, number, version)) is None:
                return None
            if wanted.text != found.pattern.text:
                raise RejectedError("the first text is what the pattern is known by, and stays")
            rest = [one for one in others if one is not found]
            texts = {text for one in rest for text in one.pattern.patterns}
            if taken := next((text for text in wanted.patterns if text in texts), None):
                raise TakenError(f"another pattern has the text {taken[:200]!r} already")
            _check_all(wanted, rest)
            row = await connection.fetchrow(
                """
                update shaped_pattern set patterns = $3, name = $4, split = $5, changed_by = $6, changed_at = now(),
                                          version = version + 1
                where project_id = $1 and id = $2 returning *
                """,
                *(project_id, number, list(wanted.patterns), wanted.name, wanted.split, who),
            )
            assert row is not None
            await audit(connection, who, "pattern.change", project_id=project_id, **_told(row))
        return _stored(row)

    async def delete(self, project_id: int, number: int, who: str, version: int | None) -> bool:
        """Undo it, if it is still at this version (None: whichever); false: there is none.

        :raises ChangedError: it is at another version
        """
        async with self._pool.acquire() as connection, connection.transaction():
            found = _at(await _others(connection, project_id), number, version)
            if found is None:
                return False
            row = await connection.fetchrow("delete from shaped_pattern where id = $1 returning *", found.id)
            assert row is not None
            await audit(connection, who, "pattern.delete", project_id=project_id, **_told(row))
        return True


async def _others(connection: Connection, project_id: int) -> list[Stored]:
    """All of the project, which nobody else changes until the transaction ends."""
    await connection.execute("select from project where id = $1 for update", project_id)
    rows = await connection.fetch("select * from shaped_pattern where project_id = $1 order by id", project_id)
    return [_stored(row) for row in rows]


def _at(all_: Sequence[Stored], number: int, version: int | None) -> Stored | None:
    found = next((one for one in all_ if one.id == number), None)
    if found is not None and version not in (None, found.version):
        raise ChangedError(f"pattern {number} was changed meanwhile; read it again")
    return found


def _check(wanted: ShapedPattern) -> None:
    if not 0 < len(wanted.patterns) <= MOST_TEXTS or len(set(wanted.patterns)) < len(wanted.patterns):
        raise RejectedError(f"a pattern has up to {MOST_TEXTS} texts, each once")
    for text in wanted.patterns:
        if not text.strip() or len(text) > LONGEST or "\0" in text:
            raise RejectedError(f"{text[:40]!r} is no pattern; it has 1 to {LONGEST} characters, and no NUL")
        if not text.replace(PLACEHOLDER, "").strip():
            raise RejectedError(f"{text[:40]!r} says nothing of a message; a pattern has more than placeholders")
    if wanted.name is not None and (not wanted.name.strip() or len(wanted.name) > LONGEST_NAME or "\0" in wanted.name):
        raise RejectedError(f"{wanted.name[:40]!r} is no name; it has 1 to {LONGEST_NAME} characters")
    if wanted.split is not None:
        places = wanted.text.count(PLACEHOLDER)
        if len(wanted.patterns) > 1:
            raise RejectedError("a pattern of several texts cannot be split; undo the merge first")
        if not 0 < wanted.split <= places:
            raise RejectedError(f"split: the pattern has {places} placeholders, and none is number {wanted.split}")


def _check_all(wanted: ShapedPattern, others: Sequence[Stored]) -> None:
    patterns = [wanted, *(one.pattern for one in others)]
    shaped = Shaped(patterns)
    for n, most, what in (
        (len(patterns), MOST, "shaped patterns"),
        (len(shaped.texts), MOST_TEXTS_IN_ALL, "texts of shaped patterns"),
        (sum(text.of_message for text in shaped.texts), MOST_WITH_DIGITS, "texts of shaped patterns with digits"),
        (len(shaped.splits), MOST_SPLIT, "patterns that are split"),
    ):
        if n > most:
            raise RejectedError(f"a project has at most {most} {what}; undo one before")
    if len(wanted.patterns) > MOST_TEXTS:
        raise RejectedError(f"together they have {len(wanted.patterns)} texts, and a pattern has at most {MOST_TEXTS}")
    taken = {words for one in others for words in (one.pattern.name, *one.pattern.patterns)}
    if wanted.name is not None and wanted.name in taken:
        raise TakenError(f"another pattern is called {wanted.name!r} already")


def _told(row: asyncpg.Record) -> dict[str, Any]:
    """For the audit log, without words: they may be an event's, and the log outlasts its deletion."""
    return {"id": row["id"], "texts": len(row["patterns"]), "named": row["name"] is not None, "split": row["split"]}


def _stored(row: asyncpg.Record) -> Stored:
    pattern = ShapedPattern(tuple(row["patterns"]), row["name"], row["split"])
    story = (row[name] for name in ("version", "created_at", "created_by", "changed_at", "changed_by"))
    return Stored(row["id"], pattern, *story)
