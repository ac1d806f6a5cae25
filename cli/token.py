"""`cordwood token`: what programs show to be let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir
from .user import with_database

if TYPE_CHECKING:
    import asyncpg

group = typer.Typer(help="Tokens that programs show to be let in.", no_args_is_help=True)


@group.command(epilog="Example: cordwood token create shipper --scope ingest --valid-for 90d")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.", show_default=False)],
    scope: Annotated[
        list[str] | None, typer.Option(help="ingest, query or admin; again for more; ingest if not given")
    ] = None,
    valid_for: Annotated[
        str | None, typer.Option(help="How long, such as 90d; for ever if not given.", show_default=False)
    ] = None,
    project: Annotated[str, typer.Option(help="Whose events it sends and reads.")] = "default",
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="A key for browsers: a page such as https://shop.example that may send with it; again for more.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, once: it is not kept in clear."""
    from ..config import parse_duration
    from .exits import InputError
    from .output import say

    try:
        span = parse_duration(valid_for) if valid_for else None
    except ValueError as why:
        raise InputError(f"--valid-for: {why}") from None

    async def change(pool: asyncpg.Pool[Any]) -> Any:
        from ..web.auth.tokens import create_token

        return await create_token(
            pool, name, scope or ["ingest"], valid_for=span, project=project, origins=origin or []
        )

    token, secret = with_database(change, data_dir)
    say(f"token {token.id} for {token.name} may {', '.join(token.scopes)}; it is not shown again:")
    print(secret)


@group.command("list", epilog="Example: cordwood token list")
def list_all(data_dir: DataDir = None) -> None:
    """List all tokens, revoked ones too."""
    from ..web.auth.tokens import list_tokens
    from .output import table

    rows = [
        (
            t.id,
            t.name,
            t.project,
            ",".join(t.scopes),
            "revoked" if t.revoked_at else "active",
            t.expires_at,
            t.last_used_at,
        )
        for t in with_database(list_tokens, data_dir)
    ]
    table(("id", "name", "project", "scopes", "state", "expires", "last used"), rows)


@group.command(epilog="Example: cordwood token revoke 3")
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", help="The token's id in the list.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """End a token."""

    async def change(pool: asyncpg.Pool[Any]) -> Any:
        from ..web.auth.tokens import revoke_token

        return await revoke_token(pool, number)

    print(f"revoked token {with_database(change, data_dir).id}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="token")
