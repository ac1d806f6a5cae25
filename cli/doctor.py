"""`cordwood doctor`: what is wrong here or will be, and how to mend it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Settings
    from ..core.storage.doctor import Finding


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


def doctor(
    pipeline: Annotated[
        Path | None,
        typer.Argument(metavar="[PIPELINE.yaml]", help="Names the places of segments.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address `up` shall listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port `up` shall listen on.", show_default=False)] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Compare every file of the cache, not only some.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="How to print the findings.")] = Format.TEXT,
) -> None:
    """Check this machine, the database and every segment, beside a running server or without one.

    Exit code 0: nothing is wrong, though there may be warnings; 1: something is.
    """
    import logging

    import anyio

    from ..config import Settings
    from ..core.storage.doctor import Level
    from .exits import INPUT

    logging.getLogger("cordwood").setLevel(logging.CRITICAL)  # what is wrong is in the list below
    settings = Settings.from_environment(data_dir=data_dir, host=host, port=port, config=pipeline)
    findings = anyio.run(_run, settings, deep)
    _print(findings, format_)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(INPUT)


async def _run(settings: Settings, deep: bool) -> list[Finding]:
    from .health import examine
    from .progress import Progress

    with Progress("checking segments") as progress:
        return await examine(settings, progress, deep=deep)


def _print(findings: Sequence[Finding], how: Format) -> None:
    import msgspec

    from ..core.storage.doctor import Level
    from .output import clean

    if how is Format.JSON:
        clear = not any(finding.level is Level.FAIL for finding in findings)
        body = msgspec.json.encode({"clean": clear, "findings": findings})
        print(msgspec.json.format(body, indent=2).decode())
        return
    for finding in findings:
        where = f"{finding.where}: " if finding.where else ""
        mend = f"; {finding.mend}" if finding.mend and finding.level is not Level.OK else ""
        print(clean(f"{finding.level.value:5} {finding.check}: {where}{finding.found}{mend}"))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood doctor --data-dir /var/lib/cordwood")(doctor)
