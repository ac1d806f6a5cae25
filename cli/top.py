"""`cordwood top`: rates, errors and lag of pipelines and outputs, on a screen, or once where it is piped."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .options import DataDir

if TYPE_CHECKING:
    from rich.console import Group

    from ..client import AsyncClient

Row: TypeAlias = tuple[str, str, str, str, str, str]
"""What, state, events a second, events, failed, note."""
HEAD = ("what", "state", "events/s", "events", "failed", "note")


def top(
    every: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between looks.")] = 1.0,
    data_dir: DataDir = None,
) -> None:
    """Watch sources, steps, the store and outputs of the running server: rates, errors, how far each is behind.

    On a terminal until Ctrl-C; elsewhere one table, whose rates are of the time between two looks.
    """
    import anyio

    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(_run, every, data_dir)


async def _run(every: float, data_dir: Any) -> None:
    import anyio

    from .client import connected
    from .output import table

    async with connected(data_dir) as client:
        before = await _asked(client)
        if not sys.stdout.isatty():
            await anyio.sleep(every)
            table(HEAD, rows(before, await _asked(client)), numeric=(False, False, True, True, True, False))
            return
        from rich.live import Live

        with Live(_screen(list(rows(before, before))), screen=True, auto_refresh=False) as live:
            while True:
                await anyio.sleep(every)
                now = await _asked(client)
                live.update(_screen(list(rows(before, now))), refresh=True)
                before = now


async def _asked(client: AsyncClient) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (await client.call("GET", "/api/v1/pipelines")).json()
    return found


def rows(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Row]:
    """The lines of the screen, from two answers of `/api/v1/pipelines`. Implicit sources that saw nothing are left out.

    A server that was started again meanwhile counts from zero: it has no rate yet.
    """
    seconds = now["at_s"] - before["at_s"]

    def rate(new: int, old: int | None) -> str:
        return f"{(new - old) / seconds:.1f}" if seconds > 0 and old is not None and new >= old else "-"

    old_sources = {source["name"]: source["events"] for source in before["sources"]}
    for source in now["sources"]:
        if source["implicit"] and not source["events"]:
            continue
        per_second = rate(source["events"], old_sources.get(source["name"]))
        kept = {"on disk": source["spooled"], "lost": source["spool_dropped"]}
        note = source["error"] or ", ".join(
            f"{name} {count}" for name, count in (kept | source["counts"]).items() if count
        )
        yield f"source {source['name']}", source["state"], per_second, str(source["events"]), "", note
    old_steps = {
        (line["name"], number): step for line in before["pipelines"] for number, step in _numbered(line["parse"])
    }
    for line in now["pipelines"]:
        for number, step in _numbered(line["parse"]):
            old = old_steps.get((line["name"], number))
            per_second = rate(step["events"], old["events"] if old and old.get("type") == step.get("type") else None)
            what = f"{line['name']}.{number} {step.get('type') or ('when ' + step['when'] if step['when'] else 'else')}"
            yield what, "", per_second, str(step["events"]), str(step.get("failed", "")), _step_note(step)
    store, full = now["store"], now["store"]["pending_bytes"] / max(1, now["store"]["pending_limit"])
    note = f"{full:.0%} of the room waits for a commit, lag {store['lag_s']:.1f} s"
    state = "full" if full >= 0.95 else "ok"
    yield (
        "store",
        state,
        rate(store["events"], before["store"]["events"]),
        str(store["events"]),
        str(store["failures"]),
        note,
    )

    old_outputs = {output["name"]: output["events"] for output in before["outputs"]}
    for output in now["outputs"]:
        lag = f"{output['lag_commits']} commits behind, {output['lag_s']:.1f} s" if output["lag_commits"] else ""
        yield (
            f"output {output['name']}",
            output["state"],
            rate(output["events"], old_outputs.get(output["name"])),
            str(output["events"]),
            "",
            "; ".join(part for part in (output["error"], lag) if part),
        )


def _numbered(steps: Sequence[Mapping[str, Any]], within: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Steps and the branches of routes with their numbers: `2` a route, `2.1` a branch, `2.1.1` a step of it."""
    for number, step in enumerate(steps, 1):
        yield f"{within}{number}", step
        for branch, own in enumerate(step["branches"], 1):
            yield f"{within}{number}.{branch}", own
            yield from _numbered(own["parse"], f"{within}{number}.{branch}.")


def _step_note(step: Mapping[str, Any]) -> str:
    """What a step costs and leaves out."""
    notes = [f"{step['left_out']:,} left out"] if step.get("left_out") else []
    if step.get("seconds") and step["events"]:
        notes.append(f"{step['seconds'] / step['events'] * 1e6:.1f} µs an event")
    return ", ".join(notes)


def _screen(found: list[Row]) -> Group:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from .output import clean

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for i, name in enumerate(HEAD):
        drawn.add_column(name, justify="right" if 2 <= i <= 4 else "left", no_wrap=i < 5)
    for row in found:
        bad = row[1] in ("failed", "waiting", "full") or row[4] not in ("", "0")
        drawn.add_row(*(Text(clean(cell), style="red" if bad else "") for cell in row))
    return Group(Text("Cordwood: what runs. Ctrl-C ends this.", style="dim"), drawn)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood top")(top)
