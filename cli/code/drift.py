"""Where a folder and an installation differ, and how the installation is made to say what the folder says."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ...client import AsyncClient, RefusedError
from ...config.validate import query_error
from ...plugins import ConfigError, QueryError
from . import KINDS, node
from .files import found_at
from .folder import Folder, Wanted
from .kind import Kind, There

What: TypeAlias = Literal["create", "change", "delete", "same"]
MOST_LINES = 60  # of a difference that are shown


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one thing. `wanted` is None where no file has it, `there` where the installation has not."""

    kind: Kind[Any]
    wanted: Wanted | None
    there: There[Any] | None

    @property
    def what(self) -> What:
        """`delete` is what `--prune` would do."""
        if self.wanted is None:
            return "delete"
        if self.there is None:
            return "create"
        return "same" if self.kind.same(self.wanted.says, self.there.says) else "change"

    @property
    def title(self) -> str:
        """The file, or the kind and the name of what no file has."""
        if self.wanted is not None:
            return str(self.wanted.path)
        assert self.there is not None
        return f"{self.kind.folder} {self.kind.title(self.there.says)}"

    def difference(self) -> list[str]:
        """Lines that go (`-`) and come (`+`)."""
        before = self.kind.shown(self.there.says) if self.there else ""
        return _lines(before, self.kind.shown(self.wanted.says) if self.wanted else "")


@dataclass(frozen=True, slots=True)
class NodeChange:
    """Where a file under `node/` and the running configuration differ. One of both is None where the other alone is."""

    wanted: node.Part | None
    runs: node.Part | None

    @property
    def title(self) -> str:
        """The file, or the name of what no file has."""
        part = self.wanted or self.runs
        assert part is not None
        return str(part.path) if part.path else part.title

    def difference(self) -> list[str]:
        """Lines that the file has not (`-`), and those that it has beside what runs (`+`)."""
        return _lines(self.runs.text() if self.runs else "", self.wanted.text() if self.wanted else "")


def _lines(before: str, after: str) -> list[str]:
    found = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm=""))[2:]
    rest = len(found) - MOST_LINES
    return [*found[:MOST_LINES], f"… {rest} more lines"] if rest > 1 else found


async def installation(client: AsyncClient, kinds: list[Kind[Any]]) -> dict[str, dict[str, There[Any]]]:
    """What the installation has of these kinds, by folder and key."""
    return {kind.folder: await kind.there(client) for kind in kinds}


async def configuration(client: AsyncClient) -> tuple[dict[tuple[str, str], node.Part], list[str]] | None:
    """What the node's file says, and which secrets stand in it in clear; None: it is for who is of another project."""
    try:
        found = (await client.call("GET", "/api/v1/configuration")).json()
    except RefusedError as why:
        if why.status != 403:
            raise
        return None
    return node.parts(found["sections"]), found["in_clear"]


async def changes(client: AsyncClient, folder: Folder) -> tuple[list[Change], list[str]]:
    """What would be done to the installation, kinds and names in order, and notes about what is left out."""
    kinds = [kind for kind in KINDS if kind.folder in folder.things]
    there, found, notes = await installation(client, kinds), list[Change](), list[str]()
    for kind in kinds:
        wanted, own = dict(folder.things[kind.folder]), there[kind.folder]
        for key, one in list(wanted.items()):
            if why := kind.past(one.says):
                notes.append(f"{one.path} is left out: {why}")
                del wanted[key]
        found += [Change(kind, wanted.get(key), own.get(key)) for key in sorted({*wanted, *own})]
    return found, notes


def node_changes(
    wanted: Mapping[tuple[str, str], node.Part], runs: Mapping[tuple[str, str], node.Part]
) -> list[NodeChange]:
    """Where the files under `node/` and what runs differ."""
    found = [NodeChange(wanted.get(key), runs.get(key)) for key in sorted({*wanted, *runs})]
    return [one for one in found if not (one.wanted and one.runs and one.wanted.same(one.runs))]


async def carry_out(client: AsyncClient, found: list[Change], done: list[Change]) -> list[ConfigError]:
    """Create and change, then delete; what was done is appended to `done`. Answers what was refused, at its place.

    Things of one kind may need each other: what is refused is tried again after the others, as long as that helps.
    """
    errors: list[ConfigError] = []
    for kind in KINDS:
        errors += await _rounds(client, [one for one in found if one.kind is kind and one.what != "delete"], done)
    for kind in () if errors else reversed(KINDS):
        errors += await _rounds(client, [one for one in found if one.kind is kind and one.what == "delete"], done)
    return errors


async def _rounds(client: AsyncClient, waiting: list[Change], done: list[Change]) -> list[ConfigError]:
    while True:
        refused: list[tuple[Change, ConfigError]] = []
        for one in waiting:
            try:
                await _one(client, one)
            except RefusedError as why:
                if why.status == 401:
                    raise
                refused.append((one, _placed(one, why)))
            else:
                done.append(one)
        if not refused or len(refused) == len(waiting):
            return [error for _, error in refused]
        waiting = [one for one, _ in refused]


async def _one(client: AsyncClient, one: Change) -> None:
    if one.wanted is None:
        assert one.there is not None
        await one.kind.delete(client, one.there)
    elif one.there is None:
        await one.kind.create(client, one.wanted.says)
    else:
        await one.kind.change(client, one.wanted.says, one.there)


def _placed(one: Change, why: RefusedError) -> ConfigError:
    """The refusal at the line of the file that it is about."""
    if one.wanted is None:
        return ConfigError(f"{one.title} cannot be deleted: {why.detail}")
    first = why.errors[0] if why.errors else {}
    message, line = str(first.get("message") or why.detail), int(first.get("line") or 0)
    hint = str(first.get("hint") or "")
    steps = [int(step) if step.isdigit() else step for step in str(first.get("pointer") or "").split("/") if step]
    if not steps and line and one.kind.query_field:
        steps = [one.kind.query_field]
    at, dotted = found_at(one.wanted.element, steps)
    if line and at is not one.wanted.element:
        return query_error(QueryError(message, line=line, column=int(first["column"]), hint=hint), at, dotted)
    return at.place.error(f"{dotted}: {message}" if dotted else message, hint)
