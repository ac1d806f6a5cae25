"""`cordwood report`: make a report of the configuration now, and keep it as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir

FORMS = {".pdf": "pdf", ".html": "html", ".zip": "data"}
_ENDINGS = ", ".join(FORMS)


def run(
    name: Annotated[str, typer.Argument(help="The report's name under `reports`.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; its ending says the form: .pdf, .html or .zip (CSV).")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it by the report's notifiers, too.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a report up to now. Prints what changed, in words; the issue is kept with the others."""
    import anyio

    from .exits import InputError

    if out is not None and out.suffix not in FORMS:
        raise InputError(f"{out}: the ending must be one of {_ENDINGS}")
    anyio.run(_run, name, out, send, data_dir)


async def _run(name: str, out: Path | None, send: bool, data_dir: Path | None) -> None:
    from urllib.parse import quote

    import anyio

    from .client import connected
    from .exits import InputError
    from .output import say

    async with connected(data_dir) as client:
        answer = await client.call("POST", f"/api/v1/reports/{quote(name, safe='')}/issues", json={"send": send})
        issue: dict[str, Any] = answer.json()
        if issue["error"]:
            raise InputError(issue["error"])
        for sentence in issue["summary"]:
            print(sentence)
        if out is None:
            return
        form = FORMS[out.suffix]
        if not issue[f"has_{form}"]:
            raise InputError(f"the server made no {form}: its log says why; .html and .zip are there")
        file = await client.call("GET", f"/api/v1/reports/issues/{issue['id']}/{form}")
        await anyio.Path(out).write_bytes(file.content)
        say(f"wrote {out}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    report = typer.Typer(help="Reports of the configuration.", no_args_is_help=True)
    report.command(epilog="Example: cordwood report run weekly --out weekly.pdf")(run)
    app.add_typer(report, name="report")
