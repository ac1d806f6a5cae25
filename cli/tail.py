"""`cordwood tail`: events as they are committed."""

from __future__ import annotations

import contextlib
import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from .options import DataDir


class Format(StrEnum):
    """How events are printed."""

    TEXT = "text"
    NDJSON = "ndjson"


def tail(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="A search; without one, all events.")] = "",
    output: Annotated[Format, typer.Option("--format", help="How events are printed.")] = Format.TEXT,
    data_dir: DataDir = None,
) -> None:
    """Follow new events until Ctrl-C. After a broken connection it goes on where it was and misses nothing."""
    import anyio

    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(_run, text, output, data_dir)


async def _run(text: str, output: Format, data_dir: Any) -> None:
    from .client import connected
    from .output import EventPrinter, say

    printer = EventPrinter()
    async with connected(data_dir, text, waiting=lambda why: say(f"note: connecting again: {why}")) as client:
        await client.call("GET", "/healthz")  # who cannot be reached at all is not waited for
        async for event in client.tail(text):
            if output is Format.NDJSON:
                print(json.dumps(event, ensure_ascii=False), flush=True)
            else:
                printer.show(event)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood tail 'severity>=error -service:checkout'")(tail)
