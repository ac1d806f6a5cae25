"""Pieces of query text that detectors put together from their settings."""

from __future__ import annotations

from collections.abc import Sequence


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
