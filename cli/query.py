"""`cordwood query`: run a query and print what it answers."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir, From, Timezone, To

if TYPE_CHECKING:
    from ..client import Answer


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


_ACCEPT = {Format.NDJSON: "application/x-ndjson", Format.CSV: "text/csv"}


def query(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="The query; '' finds all events.", show_default=False)],
    since: Annotated[str | None, typer.Option(help="Only this long back, such as 15m.", show_default=False)] = None,
    start: From = None,
    end: To = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Rows at most.", show_default=False)] = None,
    output: Annotated[Format, typer.Option("--format", help="How rows are printed.")] = Format.TABLE,
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan instead of running it.")] = False,
    tidy: Annotated[
        bool, typer.Option("--format-query", help="Print the query in its canonical form instead of running it.")
    ] = False,
    timezone: Timezone = "UTC",
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds until it is given up.")] = 30,
    data_dir: DataDir = None,
) -> None:
    """Run a query. Events are printed as lines, other results as a table, or as --format says."""
    if tidy:
        from ..core.query import format_query

        print(format_query(text))
        return
    import anyio

    from .exits import InputError
    from .times import ago, known_zone, moment

    if since and start:
        raise InputError("--since and --from cannot both be given")
    known_zone(timezone)
    asked: dict[str, Any] = {"timezone": timezone, "timeout": timeout, "limit": limit}
    asked["start"] = ago(since) if since else moment(start, timezone) if start else None
    asked["end"] = moment(end, timezone) if end else None
    anyio.run(_run, text, asked, output, explain, data_dir)


async def _run(text: str, asked: dict[str, Any], output: Format, explain: bool, data_dir: Any) -> None:
    from .client import connected

    async with connected(data_dir, text) as client:
        if explain:
            print(json.dumps(await client.explain(text, **asked), indent=2, ensure_ascii=False))
        elif output in _ACCEPT:
            async for part in client.export(text, _ACCEPT[output], **asked):
                sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        else:
            _print(await client.query(text, **asked), output)


def _print(answer: Answer, output: Format) -> None:
    from .output import EVENT_COLUMNS, EventPrinter, say, table

    names = [column.name for column in answer.columns]
    rows = answer.rows
    if output is Format.JSON:
        objects = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
        print(json.dumps(objects, ensure_ascii=False))
    elif set(names) >= EVENT_COLUMNS:
        printer = EventPrinter()
        for row in rows:
            printer.show(dict(zip(names, row, strict=True)))
    else:
        table(names, rows, numeric=[column.type in ("int", "float") for column in answer.columns])
    for warning in answer.warnings:
        say(f"note: {warning}")
    if not answer.complete:
        say(f"note: there are more rows than these {len(rows)}; --limit says how many are wanted")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood query 'severity>=error | stats count() by service' --since 1h")(query)
