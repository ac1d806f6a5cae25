"""`cordwood backup`: the whole store in one file, while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir
from .places import ConfigFile

if TYPE_CHECKING:
    from ..config import Settings
    from ..core.storage.backup import Manifest
    from ..core.storage.places import Places


def backup(
    file: Annotated[Path, typer.Argument(metavar="F", help="The file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write a backup of everything: events, accounts, tokens, detectors, incidents, positions of sources.

    It is one moment of the store, taken beside a running server or without one. `cordwood restore` reads it.
    """
    import anyio

    from .database import local_settings
    from .exits import INPUT, InputError
    from .logs import log_to_stderr
    from .output import say
    from .places import places_of

    log_to_stderr("warning")
    settings = local_settings("backup", data_dir)
    if file.is_dir():
        raise InputError(f"{file} is a folder: name a file")
    if file.exists() and not force:
        raise InputError(f"{file} is there already: choose another name, or replace it with --force")
    if settings.database_url is None and not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        raise InputError(f"the data folder {settings.data_dir} holds no store")
    made = anyio.run(_run, settings, file, places_of(settings, config))
    size = file.stat().st_size
    print(f"backed up {made.rows} events in {made.segments} segments to {file}, {size} bytes")
    lost = sorted({*made.missing, *made.damaged})
    if lost:
        shown = ", ".join(map(str, lost[:10])) + (" …" if len(lost) > 10 else "")
        say(f"the store itself has lost or damaged segments: {shown}; `cordwood doctor` says more")
        raise typer.Exit(INPUT)


async def _run(settings: Settings, file: Path, places: Places) -> Manifest:
    from ..core.storage.backup import back_up
    from .database import address
    from .progress import Progress
    from .work import reaching

    with Progress("backing up") as progress, reaching():
        async with address(settings) as arguments:
            return await back_up(arguments, file, progress, places)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood backup /backups/monday.cordwood --data-dir /var/lib/cordwood")(backup)
