"""Whose account somebody's is who signed in at a provider: found, linked, or made."""

from __future__ import annotations

import logging
from typing import Final

import asyncpg

from ...config.sign_in import OidcSettings
from ...core.storage.audit import audit
from ...core.storage.database import Connection
from . import accounts
from .errors import AccountError, ConflictError
from .oidc import Identity
from .projects import project_named
from .roles import Role

BY: Final = "oidc"
_log = logging.getLogger(__name__)


class NotWelcomeError(AccountError):
    """Who signed in at the provider gets no account here; the message says why."""

    status = 403


async def account_of(pool: asyncpg.Pool, who: Identity, settings: OidcSettings) -> int:
    """The account of somebody, with the role that their groups have now.

    Who is known by issuer and subject keeps the account, whatever the email says. Else one with the same email, in the
    project of the settings, is linked if the provider says that the email is verified. Else one is made, if it may be.

    :raises NotWelcomeError: their groups have no role, or there is no account and none may be made or linked
    """
    role = role_of(who, settings)
    if role is None:
        raise NotWelcomeError("none of the groups has a role here")
    async with pool.acquire() as connection, connection.transaction():
        user_id = await connection.fetchval(
            "select user_id from user_identity where issuer = $1 and subject = $2", who.issuer, who.subject
        )
        if user_id is None:
            user_id = await _linked(connection, who, role, settings)
    if settings.roles:
        await _follow_groups(pool, user_id, role)
    return int(user_id)


def role_of(who: Identity, settings: OidcSettings) -> Role | None:
    """The role of the first group, in the order of the settings, that somebody is in; None: they are refused."""
    mapped = (role for group, role in settings.roles.items() if group in who.groups)
    return next(mapped, settings.default_role)


async def _linked(connection: Connection, who: Identity, role: Role, settings: OidcSettings) -> int:
    """Link the account with the email, or a new one."""
    if who.email is None:
        raise NotWelcomeError("the provider tells no email: ask for the scope email")
    project_id = await project_named(connection, settings.project)
    found = await connection.fetchrow(
        "select id, project_id, is_service from user_account where lower(email) = lower($1)", who.email
    )
    if found is None:
        if not settings.create_users:
            raise NotWelcomeError("there is no account of this email, and none is made at sign-in")
        user_id = await accounts.add_member(connection, who.email, role=role, project=settings.project, by=BY)
    elif not who.email_verified:
        raise NotWelcomeError("there is an account of this email, and the provider does not say that it is verified")
    elif found["is_service"] or found["project_id"] != project_id:
        raise NotWelcomeError(f"there is an account of this email, and it is not one of people of {settings.project}")
    else:
        user_id = int(found["id"])
        await connection.execute(  # who was invited has no other use for the password of the invitation
            "update user_account set password_hash = null, must_change_password = false"
            " where id = $1 and must_change_password",
            user_id,
        )
    await connection.execute(
        "insert into user_identity (issuer, subject, user_id) values ($1, $2, $3)", who.issuer, who.subject, user_id
    )
    await audit(connection, BY, "user.link", project_id=project_id, email=who.email, issuer=who.issuer)
    return user_id


async def _follow_groups(pool: asyncpg.Pool, user_id: int, role: Role) -> None:
    if (await accounts.get_user(pool, user_id)).role == role:
        return
    try:
        await accounts.change_user(pool, user_id, role=role, by=BY)
    except ConflictError as why:
        _log.warning("sign-in: the role is not changed: %s", why)
