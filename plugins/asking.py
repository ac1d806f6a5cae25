"""What detectors ask: pieces of query text from their settings, and which queries they do not take."""

from __future__ import annotations

from collections.abc import Sequence

from .base import DetectorRun
from .errors import QueryError


def quoted_field(name: str) -> str:
    r"""A field's name as a query takes it, whatever characters it has.

    >>> print(quoted_field("the `user`"))
    `the \`user\``
    """
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def by_clause(fields: Sequence[str]) -> str:
    """The `by` of an aggregation over these fields; nothing where there are none.

    >>> by_clause(["service", "the user"]), by_clause([])
    (' by `service`, `the user`', '')
    """
    return f" by {', '.join(map(quoted_field, fields))}" if fields else ""


def check_answers_events(run: DetectorRun, detector: str, query: str) -> None:
    """Refuse a query that answers no events, for a detector that aggregates by itself.

    :raises QueryError: the query is wrong, or aggregates
    """
    if run.group_fields(query) is not None:
        raise QueryError(
            f"{detector} looks for events, and this query aggregates them",
            text=query,
            hint="leave the aggregation out: the detector does it by itself",
        )
