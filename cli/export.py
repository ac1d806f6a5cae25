"""`cordwood export`: an installation as files, to be kept with code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DataDir


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Write dashboards, saved queries, lookups, roles, service accounts, silences and the node's sections as files.

    One file for each, in a stable order. Secrets are `${NAME}`, never their values.
    """
    import anyio

    anyio.run(_run, folder, data_dir)


async def _run(root: Path, data_dir: Path | None) -> None:
    import anyio.to_thread

    from .client import connected
    from .code import KINDS
    from .code.drift import configuration, installation
    from .code.folder import files, write
    from .output import say

    async with connected(data_dir, served=True) as client:
        things = await installation(client, list(KINDS))
        node = await configuration(client)
    parts, in_clear = node or ({}, [])
    gone = await anyio.to_thread.run_sync(write, root, files(things, parts))
    for path in gone:
        print(f"removed {path}")
    if node is None:
        say("note: the node's sections are left out: they are for who is of the project default")
    for name in in_clear:
        say(f"note: {name} stands in the node's file in clear; here it is a ${{NAME}} that must be set")
    counts = [f"{len(things[kind.folder])} {kind.folder.replace('-', ' ')}" for kind in KINDS]
    print(f"wrote {root}: {', '.join(counts)}, {len(parts)} of the node's file")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood export installation/")(export)
