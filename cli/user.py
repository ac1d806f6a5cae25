"""`cordwood user`: people who may sign in."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .options import DataDir

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")


class RoleName(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPERATOR = "operator"
    ADMIN = "admin"


group = typer.Typer(help="People who may sign in.", no_args_is_help=True)


@group.command(epilog="Example: cordwood user add --admin ann@example.org")
def add(
    email: Annotated[
        str | None, typer.Argument(metavar="EMAIL", help="E-mail address; CORDWOOD_ADMIN_EMAIL.", show_default=False)
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    role: Annotated[RoleName, typer.Option(help="What they may do.")] = RoleName.VIEWER,
    project: Annotated[str, typer.Option(help="Whose events they see.")] = "default",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a user. The password is asked for, or read from standard input, or from CORDWOOD_ADMIN_PASSWORD."""
    from .exits import InputError

    address = email or os.environ.get("CORDWOOD_ADMIN_EMAIL") or ""
    if not address and not sys.stdin.isatty():
        raise InputError("whom? write: cordwood user add --admin EMAIL")
    address = address or typer.prompt("E-mail")
    password = _password(from_stdin=password_stdin)

    async def change(pool: asyncpg.Pool[Any]) -> Any:
        from ..web.auth.accounts import add_user

        return await add_user(pool, address, password, role=role.value, is_admin=admin, project=project)

    user = with_database(change, data_dir)
    print(f"added {'administrator' if user.is_admin else user.role} {user.email}")


def _password(*, from_stdin: bool) -> str:
    from .exits import InputError

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given = os.environ.get("CORDWOOD_ADMIN_PASSWORD")
    if given:
        return given
    if not sys.stdin.isatty():
        raise InputError("no password: use --password-stdin, or set CORDWOOD_ADMIN_PASSWORD")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@group.command("list", epilog="Example: cordwood user list")
def list_all(data_dir: DataDir = None) -> None:
    """List all users."""
    from ..web.auth.accounts import list_users
    from .output import table

    rows = [
        (
            user.email,
            user.role,
            user.project,
            "disabled" if user.disabled_at else "active",
            user.created_at,
        )
        for user in with_database(list_users, data_dir)
    ]
    table(("email", "role", "project", "state", "created"), rows)


@group.command(epilog="Example: cordwood user disable bob@example.org")
def disable(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail address.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Close an account and end its sessions."""

    async def change(pool: asyncpg.Pool[Any]) -> Any:
        from ..web.auth.accounts import disable_user

        return await disable_user(pool, email)

    print(f"disabled {with_database(change, data_dir).email}")


def with_database(work: Callable[[asyncpg.Pool[Any]], Awaitable[T]], data_dir: Any) -> T:
    """Run `work` with the database of the data folder."""
    import anyio

    from ..config import Settings
    from .database import database
    from .logs import log_to_stderr

    log_to_stderr("warning")

    async def run() -> T:
        async with database(Settings.from_environment(data_dir=data_dir)) as pool:
            return await work(pool)

    return anyio.run(run)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="user")
