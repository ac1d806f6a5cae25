"""`cordwood apply`: make an installation say what files say, and show where it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir

if TYPE_CHECKING:
    from .code.drift import Change, NodeChange

_DONE = {"create": "created", "change": "changed", "delete": "deleted"}


def apply(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder as `cordwood export` writes it.", show_default=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what differs; exit code 1 where something does.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what no file has, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make dashboards, saved queries, lookups, roles, service accounts and silences as the files say.

    What is so already is left alone. Kinds that have no folder are not looked at. The node's own sections, under
    `node/`, are compared only: they are changed in its file.
    """
    import anyio

    anyio.run(_run, folder, dry_run, prune, yes, data_dir)


async def _run(root: Path, dry_run: bool, prune: bool, yes: bool, data_dir: Path | None) -> None:
    import anyio.to_thread

    from ..config import ConfigErrors
    from .client import connected
    from .code.drift import carry_out, changes, configuration, node_changes
    from .code.folder import read
    from .exits import INPUT
    from .output import say

    folder = await anyio.to_thread.run_sync(read, root)
    async with connected(data_dir, served=True) as client:
        found, notes = await changes(client, folder)
        node = None if folder.node is None else await configuration(client)
        if folder.node is not None and node is None:
            notes.append("node/ is not compared: the node's file is for who is of the project default")
        drift = node_changes(folder.node or {}, node[0]) if node else []
        for note in notes:
            say(f"note: {note}")
        wanted = [one for one in found if one.what != "same" and (prune or one.what != "delete")]
        kept = [one for one in found if one.what == "delete" and not prune]
        same = sum(one.what == "same" for one in found)
        if dry_run:
            _show(wanted, kept, drift, same)
            raise typer.Exit(INPUT if wanted or kept or drift else 0)
        _confirm([one for one in wanted if one.what == "delete"], yes=yes)
        done: list[Change] = []
        try:
            errors = await carry_out(client, wanted, done)
        finally:
            for one in done:
                print(f"{_DONE[one.what]} {one.title}")
    for one in kept:
        say(f"note: {one.title} is in no file; --prune deletes it")
    for part in drift:
        say(f"differs: {part.title}; this is changed in the node's own file")
    print(f"{len(done)} changed, {same} were so already")
    if errors:
        raise ConfigErrors(errors)
    if drift:
        raise typer.Exit(INPUT)


def _show(wanted: list[Change], kept: list[Change], drift: list[NodeChange], same: int) -> None:
    from .output import clean

    lines: list[str] = []
    for one in wanted:
        lines += [f"{one.what} {one.title}", *(f"  {line}" for line in one.difference() if one.what == "change")]
    lines += [f"in no file: {one.title} (--prune deletes it)" for one in kept]
    for part in drift:
        lines += [f"differs, and is changed in the node's own file: {part.title}"]
        lines += [f"  {line}" for line in part.difference()]
    for line in lines:
        print(clean(line))
    print(f"{len(wanted)} to change, {len(kept) + len(drift)} that differ otherwise, {same} the same")


def _confirm(gone: list[Change], *, yes: bool) -> None:
    """Let what is to be deleted be deleted, if that is wanted."""
    from .exits import InputError
    from .output import say

    for one in gone:
        say(f"to delete: {one.title}")
    if not gone or yes:
        return
    if not sys.stdin.isatty():
        raise InputError("nobody is here to ask: --yes deletes without asking, --dry-run only looks")
    if not typer.confirm(f"Delete these {len(gone)}?", err=True):
        raise InputError("nothing was changed")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood apply installation/ --dry-run")(apply)
