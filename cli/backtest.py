"""`cordwood backtest`: when a detector would have fired over the past."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from .options import DataDir, From, Timezone, To


class Format(StrEnum):
    """How what would have been is printed."""

    TABLE = "table"
    JSON = "json"


def backtest(
    detector: Annotated[str, typer.Argument(metavar="DETECTOR", help="Its name in the YAML.", show_default=False)],
    start: From = None,
    end: To = None,
    alerts_per_week: Annotated[
        float | None,
        typer.Option("--alerts-per-week", min=0.01, max=10_000, help="Suggest a bound for it.", show_default=False),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.TABLE,
    timezone: Timezone = "UTC",
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds until it ends with what it has.")] = 60,
    data_dir: DataDir = None,
) -> None:
    """Show when a detector of the running server would have fired. No incident is opened, nobody is told."""
    import anyio

    from .times import moment

    body: dict[str, Any] = {"timeout": timeout}
    body |= {name: moment(text, timezone) for name, text in (("from", start), ("to", end)) if text}
    if alerts_per_week is not None:
        body["alerts_per_week"] = alerts_per_week
    anyio.run(_run, detector, body, output, data_dir)


async def _run(detector: str, body: dict[str, Any], output: Format, data_dir: Any) -> None:
    from urllib.parse import quote

    from .client import connected
    from .exits import InputError
    from .progress import Progress

    path = f"/api/v1/detectors/{quote(detector, safe='')}/backtest"
    answer: dict[str, Any] | None = None
    async with connected(data_dir) as client:
        with Progress("backtest", unit="windows") as progress:
            async for event, told in client.messages("POST", path, json=body):
                data = json.loads(told)
                if event == "progress" and data["total"]:
                    progress(data["steps"], data["total"])
                elif event == "problem":
                    raise InputError(data["detail"])
                elif event == "result":
                    answer = data
    if answer is None:
        raise InputError("the server went away before it was done")
    _print(answer, output)


def _print(answer: dict[str, Any], output: Format) -> None:
    from .output import say, table

    if output is Format.JSON:
        print(json.dumps(answer, ensure_ascii=False))
        return
    columns = ("opened", "resolved", "severity", "title", "values")
    table(
        columns,
        [
            [item["opened_at"], item["resolved_at"] or "open", item["severity"], item["title"], item["values"]]
            for item in answer["items"]
        ],
    )
    found = len(answer["items"])
    say(
        f"{found} incident{'' if found == 1 else 's'}, {answer['per_week']:g} a week, in {answer['steps']} windows, "
        f"one each {answer['step_seconds']:g} s ({answer['elapsed_ms'] / 1000:.1f} s)"
    )
    if answer["suggestion"]:
        say(f"suggested: {answer['suggestion']['condition']} ({answer['suggestion']['per_week']:g} a week)")
    if not answer["complete"]:
        say(f"note: judged up to {answer['until']} only: {answer['reason']}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood backtest errors --from -7d --alerts-per-week 2")(backtest)
