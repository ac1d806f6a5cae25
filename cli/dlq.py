"""`cordwood dlq`: dead letters, the events that a pipeline could not read or an output not get rid of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir

ABOUT = "Dead letters: events that a pipeline could not read, or an output not get rid of."
group = typer.Typer(help=ABOUT, no_args_is_help=True)
Of = Annotated[str | None, typer.Option("--source", help="Only those of this source.")]
By = Annotated[str | None, typer.Option("--pipeline", help="Only those of this pipeline.")]
To = Annotated[str | None, typer.Option("--output", help="Only those of this output.")]


@group.command("list", epilog="Example: cordwood dlq list --pipeline web")
def list_all(
    source: Of = None,
    pipeline: By = None,
    output: To = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
) -> None:
    """List dead letters, the newest first."""
    from .output import one_line, say, table

    wanted = {"source": source, "pipeline": pipeline, "output": output, "limit": limit}
    found = _asked("GET", "", data_dir, params={name: value for name, value in wanted.items() if value is not None})
    names = ("id", "at", "source", "pipeline", "step", "parser", "output", "reason", "message")
    rows = [[one_line(item[name]) if isinstance(item[name], str) else item[name] for name in names]
            for item in found["items"]]  # fmt: skip
    table(names, rows, numeric=[name in ("id", "step") for name in names])
    if found["next_cursor"]:
        say(f"of {found['count']} in all; --limit shows more")
    if found["dropped"]:
        say(f"{found['dropped']} older ones went, for there were too many (limits: dead_letters, dead_letter_bytes)")


@group.command(epilog="Example: cordwood dlq show 17")
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its number.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Print a dead letter with its event as it entered the pipeline, as JSON."""
    import json

    print(json.dumps(_asked("GET", f"/{number}", data_dir), indent=2, ensure_ascii=False))


@group.command(epilog="Example: cordwood dlq replay --pipeline web")
def replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Only these; else all.", show_default=False)
    ] = None,
    source: Of = None,
    pipeline: By = None,
    output: To = None,
    data_dir: DataDir = None,
) -> None:
    """Send dead letters through the pipeline that their source belongs to now. Each is stored once.

    Those of an output are sent by it again, and are in the store already.
    """
    from .exits import InputError

    body: dict[str, Any] = {"ids": numbers or None, "source": source, "pipeline": pipeline, "output": output}
    body["cursor"] = None
    replayed = failed = 0
    while True:
        done = _asked("POST", "/replay", data_dir, served=True, json=body)
        replayed, failed = replayed + done["replayed"], failed + done["failed"]
        body["cursor"] = done["next_cursor"]
        if body["cursor"] is None:
            break
    print(f"{replayed} replayed, {failed} failed again")
    if failed:
        raise InputError("`cordwood dlq list` says why; mend the pipeline or the output and replay again")


@group.command(epilog="Example: cordwood dlq delete 17 18")
def delete(
    numbers: Annotated[list[int], typer.Argument(metavar="ID...", help="Their numbers.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Delete dead letters for good."""
    for number in numbers:
        _asked("DELETE", f"/{number}", data_dir)
        print(f"deleted {number}")


def _asked(method: str, path: str, data_dir: Path | None, *, served: bool = False, **more: Any) -> Any:
    """The answer of the API."""
    import anyio

    from .client import connected

    async def ask() -> Any:
        async with connected(data_dir, served=served) as client:
            answer = await client.call(method, f"/api/v1/dead-letters{path}", **more)
            return answer.json() if answer.content else None

    return anyio.run(ask)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="dlq")
