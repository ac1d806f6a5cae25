"""`cordwood doctor`: what could keep Cordwood from working here, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import DataDir


def doctor(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address `up` shall listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port `up` shall listen on.", show_default=False)] = None,
) -> None:
    """Check this machine, the data folder, the database and the plugins; exit code 1 if anything fails."""
    import logging

    import anyio

    from ..config import Settings
    from .exits import INPUT
    from .health import Level, examine

    logging.getLogger("cordwood").setLevel(logging.CRITICAL)  # what is wrong is in the list below
    settings = Settings.from_environment(data_dir=data_dir, host=host, port=port)
    worst = Level.OK
    for finding in anyio.run(examine, settings):
        mend = f"; {finding.mend}" if finding.mend and finding.level is not Level.OK else ""
        print(f"{finding.level.value:5} {finding.what}: {finding.found}{mend}")
        worst = max(worst, finding.level, key=list(Level).index)
    if worst is Level.FAIL:
        raise typer.Exit(INPUT)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood doctor --data-dir /var/lib/cordwood")(doctor)
