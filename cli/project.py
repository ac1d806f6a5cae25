"""`cordwood project`: the tenants of an installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir
from .user import with_database

if TYPE_CHECKING:
    import asyncpg

group = typer.Typer(help="Projects: events, accounts and tokens of each are its own.", no_args_is_help=True)


@group.command(epilog="Example: cordwood project add shop")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Add a project. `cordwood token create --project NAME` makes tokens that send to it."""

    async def change(pool: asyncpg.Pool[Any]) -> Any:
        from ..web.auth.projects import add_project

        return await add_project(pool, name)

    print(f"added project {with_database(change, data_dir).name}")


@group.command("list", epilog="Example: cordwood project list")
def list_all(data_dir: DataDir = None) -> None:
    """List all projects with what they hold."""
    from ..web.auth.projects import list_projects
    from .output import table

    rows = [(p.name, p.events, p.bytes, p.created_at) for p in with_database(list_projects, data_dir)]
    table(("name", "events", "bytes", "created"), rows, numeric=(False, True, True))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="project")
