"""`cordwood storage`: where segments' bytes are, and moving them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir
from .places import ConfigFile

if TYPE_CHECKING:
    from ..config import Settings
    from ..core.storage.move import Holding, Moved
    from ..core.storage.places import Places

group = typer.Typer(help="Where segments are kept.", no_args_is_help=True)


@group.command(epilog="Example: cordwood storage show --config pipeline.yaml")
def show(config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """What each place has, and whether it can be used: an object is written, read and deleted there."""
    import anyio

    from .database import local_settings
    from .logs import log_to_stderr
    from .output import table
    from .places import places_of

    log_to_stderr("error")
    settings = local_settings("storage show", data_dir)
    places = places_of(settings, config)
    held, states = anyio.run(_show, settings, places)
    empty = [name for name in states if name not in {holding.place for holding in held}]
    rows = [(h.place, h.segments, h.rows, h.bytes, states[h.place]) for h in held]
    rows += [(name, 0, 0, 0, states[name]) for name in empty]
    table(("place", "segments", "events", "bytes", "state"), sorted(rows), numeric=(False, True, True, True, False))


async def _show(settings: Settings, places: Places) -> tuple[list[Holding], dict[str, str]]:
    from ..core.storage.move import holdings
    from .database import database
    from .work import reaching

    with reaching():
        async with database(settings) as pool:
            held = await holdings(pool)
    states = {name: await places.problem(name) for name in {"postgresql", *places.known, *(h.place for h in held)}}
    new = ", new segments go here"
    return held, {name: (why or "ok") + (new if name == places.current else "") for name, why in states.items()}


@group.command(epilog="Example: cordwood storage move --to postgresql")
def move(
    to: Annotated[
        str | None, typer.Option(help="Name of the place; the one of `store.place` if not given.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Move all segments to one place, while the server runs, or without one. Broken off, it goes on when done again."""
    import anyio

    from .database import local_settings
    from .exits import INPUT, InputError
    from .logs import log_to_stderr
    from .output import say
    from .places import places_of

    log_to_stderr("warning")
    settings = local_settings("storage move", data_dir)
    places = places_of(settings, config)
    target = to or places.current
    if target not in ("postgresql", *places.known):
        names = ", ".join(sorted({"postgresql", *places.known}))
        raise InputError(f"there is no place named {target}; there are {names}: name a file with --config")
    moved = anyio.run(_move, settings, places, target)
    print(f"moved {moved.segments} segments, {moved.bytes} bytes, to {target}")
    if moved.left:
        for id_, why in list(moved.left.items())[:10]:
            say(f"segment {id_} stays where it is: {why}")
        say(f"{len(moved.left)} segments were left; `cordwood doctor` says more")
        raise typer.Exit(INPUT)
    if target != places.current:
        say(f"note: what is merged from now on goes to {places.current}, as `store.place` says")


async def _move(settings: Settings, places: Places, to: str) -> Moved:
    from ..core.storage.files import Files
    from ..core.storage.move import move
    from .database import database
    from .progress import Progress
    from .work import reaching

    with Progress("moving") as progress, reaching():
        async with database(settings, max_size=6) as pool:
            return await move(pool, Files(pool, places), to, progress)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="storage")
