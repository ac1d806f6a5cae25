"""`cordwood restore`: a backup into an empty store, or only checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir
from .places import ConfigFile

if TYPE_CHECKING:
    from ..config import Settings
    from ..core.storage.archive import ArchiveReader
    from ..core.storage.backup import Manifest
    from ..core.storage.places import Places


def restore(
    file: Annotated[Path, typer.Argument(metavar="F", help="The backup.", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="Check the file completely, and restore nothing.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Fill an empty data folder, or the empty database of CORDWOOD_DATABASE_URL, from a backup: all of it or nothing.

    Merged segments go to the place that `store.place` of the file names, else to PostgreSQL. A backup of an older
    release is brought to this release's schema. Sessions are not kept: people sign in again.
    """
    import anyio

    from ..core.storage.archive import ArchiveReader
    from .database import local_settings
    from .exits import InputError
    from .logs import log_to_stderr
    from .output import say
    from .places import places_of
    from .serverfile import running_server

    log_to_stderr("warning")
    archive = ArchiveReader(file)
    try:
        if verify:
            from ..core.storage.restore import check
            from .progress import Progress

            with Progress("checking") as progress:
                made = check(archive, progress)
        else:
            settings = local_settings("restore", data_dir)
            if settings.database_url is None and running_server(settings.data_dir) is not None:
                raise InputError(f"Cordwood is running on {settings.data_dir}: stop it, then restore")
            made = anyio.run(_run, settings, archive, places_of(settings, config))
    finally:
        archive.close()
    done = "is whole" if verify else "restored"
    print(f"{file} {done}: {made.rows} events in {made.segments} segments, taken {made.taken_at}")
    lost = sorted({*made.missing, *made.damaged})
    if lost:
        say(f"note: the store had lost or damaged {len(lost)} segments when the backup was taken: {lost[:10]}")


async def _run(settings: Settings, archive: ArchiveReader, places: Places) -> Manifest:
    from ..core.storage.restore import read_manifest, restore
    from .database import address
    from .progress import Progress
    from .work import reaching

    read_manifest(archive)  # what is no backup must not make a database
    with Progress("restoring") as progress, reaching():
        async with address(settings) as arguments:
            return await restore(arguments, archive, progress, places)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood restore /backups/monday.cordwood --data-dir /var/lib/new")(restore)
