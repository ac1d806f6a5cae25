"""`cordwood recording`: figures that are kept as metrics: how far they have come, and the past."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir, From, Timezone, To

_COLUMNS = ("name", "kind", "every", "series", "dropped", "recorded_until", "error")
_PATIENCE_S = 86_400  # the figures of years take their time


def show(data_dir: DataDir = None) -> None:
    """List the recordings of the running server."""
    import anyio

    anyio.run(_list, data_dir)


def backfill(
    name: Annotated[str, typer.Argument(help="The name under `recordings`.", show_default=False)],
    start: From = None,
    end: To = None,
    timezone: Timezone = "UTC",
    data_dir: DataDir = None,
) -> None:
    """Make the figures of past steps from the events there are. What was recorded of them is made again."""
    import anyio

    from .exits import InputError
    from .times import moment

    if start is None:
        raise InputError("--from is missing: say where the past begins, such as --from -7d")
    body = {name: moment(text, timezone) for name, text in (("from", start), ("to", end)) if text}
    anyio.run(_backfill, name, body, data_dir)


async def _list(data_dir: Path | None) -> None:
    from .client import connected
    from .output import table

    async with connected(data_dir) as client:
        items = (await client.call("GET", "/api/v1/recordings")).json()["items"]
    table(_COLUMNS, [[item[column] if item[column] is not None else "" for column in _COLUMNS] for item in items])


async def _backfill(name: str, body: dict[str, Any], data_dir: Path | None) -> None:
    from urllib.parse import quote

    from .client import connected

    async with connected(data_dir) as client:
        path = f"/api/v1/recordings/{quote(name, safe='')}/backfill"
        done = (await client.call("POST", path, json=body, timeout=_PATIENCE_S)).json()
    print(
        f"{done['figures']} figures of {done['steps']} steps"
        + (f", {done['dropped']} left out" * bool(done["dropped"]))
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    recording = typer.Typer(help="Figures of queries that are kept as metrics.", no_args_is_help=True)
    recording.command("list", epilog="Example: cordwood recording list")(show)
    recording.command(epilog="Example: cordwood recording backfill checkout_errors --from -7d")(backfill)
    app.add_typer(recording, name="recording")
