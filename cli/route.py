"""`cordwood route`: who would be told of an incident, when, and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(help="Who is told of which incidents.", no_args_is_help=True)


@commands.command(
    "test", epilog="Example: cordwood route test cordwood.yaml --detector errors --severity fatal --label service=pay"
)
def explain(
    pipeline: Annotated[
        Path, typer.Argument(metavar="PIPELINE.yaml", help="The file with the routes.", show_default=False)
    ],
    detector: Annotated[str, typer.Option(help="The detector that found it.", show_default=False)],
    severity: Annotated[str | None, typer.Option(help="Its severity; the detector's where not given.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="A field of its group; as often as needed.")
    ] = None,
    at: Annotated[str, typer.Option(help="When it opens: now, -2h, or a time such as 2026-01-31T03:00.")] = "now",
) -> None:
    """Say who would be told of an incident, after what time, and why. Nobody is told by asking."""
    from ..config import Incident, format_duration
    from ..core.runtime import load_checked
    from ..plugins import load_plugins, severity_rank
    from .exits import InputError
    from .output import say, table
    from .times import moment

    config = load_checked(pipeline, load_plugins())
    entry = config.detectors.get(detector)
    if entry is None:
        known = ", ".join(config.detectors) or "none"
        raise InputError(f"there is no detector {detector} in {pipeline}; there are {known}")
    severity = severity or str(getattr(entry.config, "severity", "error"))
    if not severity_rank(severity):
        raise InputError(f"{severity} is no severity; write one such as error")
    group = dict(_pair(text) for text in label or ())
    opens = datetime.fromisoformat(moment(at))
    told = config.routing.told(Incident(detector, severity, group, opens), list(getattr(entry.config, "notify", ())))
    if not told:
        say("nobody would be told")
        return
    rows = [
        [format_duration(one.after), one.notifier, "not acknowledged" if one.escalation else "opened", one.why]
        for one in told
    ]
    table(("after", "notifier", "when", "why"), rows)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise typer.BadParameter(f"{text!r}: write FIELD=VALUE, such as service=pay", param_hint="--label")
    return name, value


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="route")
