"""`cordwood check`: every error of a YAML file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file to check.", show_default=False)],
) -> None:
    """Check a pipeline file: every error with file:line:column and a hint; exit code 1 if there are any."""
    from ..config import ConfigErrors
    from ..core.runtime import load_checked
    from ..plugins import load_plugins
    from .exits import INPUT
    from .output import say

    registry = load_plugins()
    try:
        config = load_checked(pipeline, registry)
    except ConfigErrors as why:
        say(str(why))
        count = len(why.errors)
        say(f"{count} error{'s' if count > 1 else ''} in {pipeline}")
        raise typer.Exit(INPUT) from None
    parts = [
        f"{len(getattr(config, section))} {section}"
        for section in ("sources", "pipelines", "detectors", "notifiers", "outputs")
    ]
    print(f"{pipeline} is right: {', '.join(parts)}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood check pipeline.yaml")(check)
