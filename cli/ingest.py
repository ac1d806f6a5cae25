"""`cordwood ingest`: send files, line by line, each line stored once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DataDir, Service


def ingest(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Files to send; - is standard input; .gz and .zst are taken.")
    ],
    parser: Annotated[str | None, typer.Option(help="Parser for the lines: its type.", show_default=False)] = None,
    service: Service = None,
    timestamp_from: Annotated[
        str | None, typer.Option(metavar="FIELD", help="Take the time from this field.", show_default=False)
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="The parser's setting pattern, as for --parser regex.", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another setting of the parser; again for more."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without an offset.", show_default=False)] = None,
    retry_for: Annotated[float, typer.Option(min=0, help="Seconds to go on trying when the server is busy.")] = 300,
    data_dir: DataDir = None,
) -> None:
    """Send files to the store. Blocks of lines are sent again until the server has them, and stored once."""
    import anyio

    from .exits import InputError
    from .sending import Sending, parameters

    missing = [name for name in files if name != "-" and (not Path(name).exists() or Path(name).is_dir())]
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    given = parameters(parser, service, timestamp_from, pattern, settings or [], timezone)
    sending = Sending(files, given, retry_for)
    anyio.run(sending.run, data_dir)
    print(f"{sending.accepted} events accepted of {sending.lines} lines")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood ingest app.log.gz --parser json --service shop")(ingest)
