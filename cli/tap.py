"""`cordwood tap`: events as they pass a step of the pipeline that runs."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir
from .tail import Format


def tap(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file that runs.", show_default=False)],
    step: Annotated[
        str,
        typer.Argument(
            metavar="STEP",
            help="NAME of a pipeline, NAME.N after its step N (0: as the source hands over), or NAME.TYPE; "
            "N or TYPE alone where the file has one pipeline. Without it: what goes to the store.",
            show_default=False,
        ),
    ] = "",
    query: Annotated[str, typer.Option("--query", help="Only events that this search finds.")] = "",
    output: Annotated[Format, typer.Option("--format", help="How events are printed.")] = Format.TEXT,
    data_dir: DataDir = None,
) -> None:
    """Watch events pass a step of the running pipeline, before they are stored, until Ctrl-C.

    It asks the server (CORDWOOD_URL, or the one that runs on the data folder), which must run this file. Where many
    events pass, it is a sample, and how many were left out is said on standard error.
    """
    import anyio

    from ..core.runtime import load_checked
    from ..plugins import load_plugins
    from .steps import edge

    name, number = edge(load_checked(pipeline, load_plugins()), step)
    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(_run, name, number, query, output, data_dir)


async def _run(name: str, number: int, query: str, output: Format, data_dir: Any) -> None:
    from urllib.parse import quote

    from ..client import SILENCE_S
    from .client import connected
    from .output import EventPrinter, say

    printer = EventPrinter()
    path, params = f"/api/v1/pipelines/{quote(name, safe='')}/tap", {"step": number, "query": query}
    async with connected(data_dir, query) as client:
        async for kind, data in client.messages("GET", path, params=params, timeout=SILENCE_S):
            if kind == "dropped":
                say(f"note: {data} events more passed")
            elif output is Format.NDJSON:
                print(json.dumps(json.loads(data), ensure_ascii=False), flush=True)
            else:
                printer.show(json.loads(data))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood tap pipeline.yaml web.clf --query 'status>=500'")(tap)
