"""What is wrong with a dashboard before it is saved: its shape, and every query, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ...plugins import now_ns
from ...plugins.errors import QueryError
from ..query.request import QueryRequest, Rights
from .model import Dashboard, Fault, shape_faults
from .variables import fill, unknown

MOST_FAULTS = 50  # that are told at once


class Explains(Protocol):
    """The query engine, as far as it is needed here."""

    async def explain(self, request: QueryRequest) -> dict[str, Any]:
        """The plan of a query, without running it."""


async def faults(
    dashboard: Dashboard, engine: Explains, project_id: int, *, is_admin: bool, rights: Rights | None = None
) -> list[Fault]:
    """All that is wrong, with lines and columns of the queries as they stand in the document."""
    found = list(shape_faults(dashboard))
    for pointer, text in queries(dashboard):
        if len(found) >= MOST_FAULTS:
            break
        if lost := unknown(text, dashboard.variables):
            name, line, column = lost
            hint = f'define it under variables; to search for the text, write "${name}"'
            found.append(Fault(pointer, f"there is no variable ${name}", line, column, hint))
            continue
        filled = fill(text, dashboard.variables, {})
        now = now_ns()
        request = QueryRequest(
            text=filled.text,
            project_id=project_id,
            now_ns=now,
            from_ns=now - 1,
            to_ns=now,
            is_admin=is_admin,
            rights=rights,
        )
        try:
            await engine.explain(request)
        except QueryError as why:
            found.append(Fault(pointer, why.message, *filled.place(why.line, why.column), why.hint))
    return found[:MOST_FAULTS]


def queries(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """JSON pointer and text of each query of a dashboard."""
    for at, variable in enumerate(dashboard.variables):
        if variable.query is not None:
            yield f"/variables/{at}/query", variable.query
    for at, panel in enumerate(dashboard.panels):
        if panel.kind != "markdown":
            yield f"/panels/{at}/query", panel.query
