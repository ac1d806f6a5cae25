"""`cordwood delete`: delete events for good, after a look at what would go."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir, From, Timezone, To

if TYPE_CHECKING:
    from ..client import AsyncClient

_LOOK_S = 0.3


def delete(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="A search, without stages.", show_default=False)],
    start: From = None,
    end: To = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    timezone: Timezone = "UTC",
    data_dir: DataDir = None,
) -> None:
    """Delete the events that a search finds, from the store and all caches, for good.

    Shows how many there are and the newest few, asks, and waits until nothing keeps them. Stopped with Ctrl-C, a
    deletion goes on in the server; without a server, the next time one runs on the data folder.
    """
    import anyio

    from .times import known_zone, moment

    known_zone(timezone)
    body: dict[str, Any] = {"query": text, "timezone": timezone}
    body["from"] = moment(start, timezone) if start else None
    body["to"] = moment(end, timezone) if end else None
    anyio.run(_run, body, yes, dry_run, data_dir)


async def _run(body: dict[str, Any], yes: bool, dry_run: bool, data_dir: Any) -> None:
    from .client import connected
    from .exits import InputError
    from .output import say

    async with connected(data_dir, body["query"], deletes=True) as client:
        preview = (await client.call("POST", "/api/v1/deletions/preview", json=body)).json()
        _show(preview)
        if dry_run or not (preview["events"] or not preview["complete"]):
            return
        if not yes:
            if not sys.stdin.isatty():
                raise InputError("nobody is here to ask: --yes deletes without asking, --dry-run only looks")
            if not typer.confirm(f"Delete these {preview['events']} events for good?", err=True):
                raise InputError("nothing was deleted")
        made = (await client.call("POST", "/api/v1/deletions", json=body)).json()
        done = await _finished(client, made)
        print(f"deletion {done['id']}: {done['events_deleted']} events deleted")
        if done["state"] != "done":
            say(f"deletion {done['id']} is {done['state']}" + (f": {done['error']}" if done["error"] else ""))
            raise typer.Exit(InputError.code)


def _show(preview: dict[str, Any]) -> None:
    from .output import EventPrinter, say

    for warning in preview["warnings"]:
        say(f"note: {warning}")
    if not preview["events"]:
        print("no event is found")
        return
    printer = EventPrinter()
    for event in preview["samples"]:
        printer.show(event)
    print(f"{preview['events']} events from {preview['from']} to {preview['to']}", flush=True)


async def _finished(client: AsyncClient, deletion: dict[str, Any]) -> dict[str, Any]:
    """The deletion when it is over; shows how far it is."""
    import anyio

    from .output import say
    from .progress import Progress

    with Progress("deleting", unit="segments") as progress:
        try:
            while deletion["state"] == "running":
                progress(deletion["segments_done"], deletion["segments_total"])
                await anyio.sleep(_LOOK_S)
                deletion = (await client.call("GET", f"/api/v1/deletions/{deletion['id']}")).json()
        except anyio.get_cancelled_exc_class():
            number = deletion["id"]
            say(f"deletion {number} goes on in the server, or in the next one that starts")
            say(f"DELETE /api/v1/deletions/{number} cancels what is left")
            raise
    return deletion


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood delete 'user:ada@example.org' --to 2026-02-01 --dry-run")(delete)
