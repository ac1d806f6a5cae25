"""`cordwood retention`: what the rules of `store:` take now, and when they next take something."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir


def retention(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[PIPELINE.yaml]", help="Look at the rules of this file instead.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show how many events go now by each rule, and when the next go. Nothing is deleted by looking.

    Without a file, by the rules of the running server; with one, by those in its `store:`, before they hold.
    """
    import anyio

    anyio.run(_run, _rules(file) if file else None, data_dir)


def _rules(file: Path) -> dict[str, Any]:
    from ..core.runtime.configs import load_checked
    from ..plugins import load_plugins

    store = load_checked(file, load_plugins()).store
    return store.model_dump(mode="json", include={"retention", "max_bytes", "streams", "projects"}, exclude_unset=True)


async def _run(rules: dict[str, Any] | None, data_dir: Any) -> None:
    from .client import connected
    from .output import say, table

    async with connected(data_dir) as client:
        answer = (
            await client.call("GET", "/api/v1/retention")
            if rules is None
            else await client.call("POST", "/api/v1/retention/preview", json=rules)
        )
        items = answer.json()["items"]
    if not items:
        say("no rule: everything is kept")
        return
    names = ("project", "rule", "query", "retention", "events", "segments", "bytes", "next_at")
    numeric = [name in ("events", "segments", "bytes") for name in names]
    shown = ("project", "rule", "query", "keeps", "events now", "segments", "bytes", "next")
    table(shown, [[item[name] for name in names] for item in items], numeric=numeric)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood retention cordwood.yaml --data-dir /var/lib/cordwood")(retention)
