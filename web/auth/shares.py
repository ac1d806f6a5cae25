"""Links by which others see a query or a dashboard without signing in, as PostgreSQL keeps them.

What a link shows is asked for with the rights that its account has at that moment: it shows less when the account may
less, and nothing when the account is closed or may share no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from .credentials import digest, new_secret
from .errors import AccountError, ConflictError, NoSuchError
from .principal import Principal
from .sessions import MEMBER, MEMBERSHIP, member

Pool: TypeAlias = asyncpg.Pool
LONGEST: Final = timedelta(days=90)
MOST: Final = 500  # of a project that are good at a time
LONGEST_TITLE: Final = 200
_KEPT: Final = timedelta(days=30)  # in the list, after they are over
MAY_SHARE: Final = frozenset({"query", "edit"})
"""What its account must be allowed, when a link is made and whenever it is opened."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a link shows: a query, or a dashboard by its name. Nanoseconds; None: the dashboard's own range."""

    title: str
    query: str | None = None
    dashboard: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A link, without its secret."""

    id: int
    subject: Subject
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    opened_at: datetime | None


class OverError(AccountError):
    """The link was good, and is so no more."""

    status = 410


async def create_share(pool: Pool, user_id: int, subject: Subject, valid_for: timedelta) -> tuple[Share, str]:
    """Make a link of an account; returns it with its secret, which is kept nowhere.

    :raises AccountError: it would be good for too long, or has no title
    :raises ConflictError: the project has too many
    """
    if not timedelta(minutes=1) <= valid_for <= LONGEST:
        raise AccountError(f"a link is good for 1m to {LONGEST.days}d")
    if not subject.title.strip() or len(subject.title) > LONGEST_TITLE or not subject.title.isprintable():
        raise AccountError(f"a link needs a title of 1 to {LONGEST_TITLE} characters")
    secret = new_secret("cws_")
    async with pool.acquire() as connection, connection.transaction():
        account = await connection.fetchrow("SELECT email, project_id FROM user_account WHERE id = $1", user_id)
        if account is None:
            raise NoSuchError("there is no such account any more")
        project_id = account["project_id"]
        await connection.execute("SELECT FROM project WHERE id = $1 FOR NO KEY UPDATE", project_id)
        await connection.execute("DELETE FROM share WHERE expires_at < now() - $1::interval", _KEPT)
        living = await connection.fetchval(
            "SELECT count(*) FROM share WHERE project_id = $1 AND revoked_at IS NULL AND expires_at > now()", project_id
        )
        if living >= MOST:
            raise ConflictError(f"a project has at most {MOST} links that are good; revoke one before")
        id_ = await connection.fetchval(
            "INSERT INTO share (hash, project_id, user_id, title, query, dashboard, from_ns, to_ns, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9) RETURNING id",
            digest(secret), project_id, user_id, subject.title, subject.query, subject.dashboard,
            subject.from_ns, subject.to_ns, valid_for,
        )  # fmt: skip
        row = await connection.fetchrow(f"{_SHARES} WHERE s.id = $1", id_)
        assert row is not None
        shown = {"query": subject.query} if subject.dashboard is None else {"dashboard": subject.dashboard}
        told = {"share": id_, "title": subject.title, **shown, "expires_at": row["expires_at"].isoformat()}
        await audit(connection, account["email"], "share.create", project_id=project_id, **told)
    return _share(row), secret


async def list_shares(
    pool: Pool, project_id: int, *, user_id: int | None = None, before: int = 2**63 - 1, limit: int
) -> list[Share]:
    """Links of a project with an id below `before`, newest first, those that are over for a month; of one account."""
    rows = await pool.fetch(
        f"{_SHARES} WHERE s.project_id = $1 AND ($2::bigint IS NULL OR s.user_id = $2) AND s.id < $3"
        " ORDER BY s.id DESC LIMIT $4",
        project_id,
        user_id,
        before,
        limit,
    )
    return [_share(row) for row in rows]


async def revoke_share(pool: Pool, project_id: int, share_id: int, *, user_id: int | None = None, by: str) -> Share:
    """End a link; one that is over stays so. With `user_id` only one of this account.

    :raises NoSuchError: there is none
    """
    async with pool.acquire() as connection, connection.transaction():
        ended = await connection.fetchrow(
            "UPDATE share SET revoked_at = now() WHERE id = $1 AND project_id = $2 AND revoked_at IS NULL"
            " AND ($3::bigint IS NULL OR user_id = $3) RETURNING title",
            share_id,
            project_id,
            user_id,
        )
        if ended is not None:
            told = {"share": share_id, "title": ended["title"]}
            await audit(connection, by, "share.revoke", project_id=project_id, **told)
        row = await connection.fetchrow(
            f"{_SHARES} WHERE s.id = $1 AND s.project_id = $2 AND ($3::bigint IS NULL OR s.user_id = $3)",
            share_id,
            project_id,
            user_id,
        )
    if row is None:
        raise NoSuchError(f"there is no link {share_id}")
    return _share(row)


async def open_share(pool: Pool, secret: str) -> tuple[Share, Principal]:
    """What the link shows, and with whose rights, as they are now. Notes the time of use to the minute.

    :raises NoSuchError: there was no such link
    :raises OverError: it has expired or was revoked, or its account may share no more
    """
    row = await pool.fetchrow(
        "SELECT s.id AS share_id, s.title, s.query, s.dashboard, s.from_ns, s.to_ns, s.created_at, s.expires_at,"  # noqa: S608
        " s.revoked_at, s.opened_at, s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL"
        f" AND u.project_id = s.project_id AS good, s.opened_at < now() - interval '1 minute' AS stale, {MEMBER}"
        f" FROM share s JOIN user_account u ON u.id = s.user_id {MEMBERSHIP} WHERE s.hash = $1",
        digest(secret),
    )
    if row is None:
        raise NoSuchError("there is no such link: it may have been copied in part")
    principal = member(row)
    if not row["good"] or not principal.permissions >= MAY_SHARE:
        raise OverError("this link is over: it has expired or was revoked. Ask who sent it for a new one")
    if row["stale"] is not False:
        await pool.execute("UPDATE share SET opened_at = now() WHERE id = $1", row["share_id"])
    return _share({**row, "id": row["share_id"], "created_by": row["email"]}), principal


_SHARES: Final = (
    "SELECT s.id, s.title, s.query, s.dashboard, s.from_ns, s.to_ns, u.email AS created_by, s.created_at,"
    " s.expires_at, s.revoked_at, s.opened_at FROM share s JOIN user_account u ON u.id = s.user_id"
)


def _share(row: asyncpg.Record | dict[str, Any]) -> Share:
    subject = Subject(row["title"], row["query"], row["dashboard"], row["from_ns"], row["to_ns"])
    times = (row["created_at"], row["expires_at"], row["revoked_at"], row["opened_at"])
    return Share(row["id"], subject, row["created_by"], *times)
