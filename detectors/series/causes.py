"""Which values of other fields a change comes from: the bin in trouble beside the bins before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...plugins import DetectorRun, Json, quoted_field

BEFORE = 12  # bins before, whose mean tells what a value had
NAMED = 3  # values of a field that are named
VALUE, FIELD = "value_of_bin", "cause"


async def causes(
    run: DetectorRun, search: str, value: str, fields: Sequence[str], bin_ns: int, at_ns: int, *, sums: bool
) -> list[Json]:
    """The values that changed most: `{"field", "is", "value", "before"}`, three of a field at most.

    `search` finds the events of the series, `at_ns` is where the bin begins. `sums`: `value` adds up over bins.

    :raises QueryError: there is no such field
    """
    found: list[Json] = []
    for field in fields:
        text = f"{search} | stats {value} as {VALUE} by {quoted_field(field)} as {FIELD}"
        now = _values(await run.query(text, from_ns=at_ns, to_ns=at_ns + bin_ns))
        before = _values(await run.query(text, from_ns=at_ns - BEFORE * bin_ns, to_ns=at_ns))
        usual = {is_: total / (BEFORE if sums else 1) for is_, total in before.items()}
        change = {is_: now.get(is_, 0.0) - usual.get(is_, 0.0) for is_ in now.keys() | usual.keys()}
        most = sorted((is_ for is_ in change if change[is_]), key=lambda is_: (-abs(change[is_]), str(is_)))
        found += [
            {"field": field, "is": is_, "value": now.get(is_, 0.0), "before": round(usual.get(is_, 0.0), 3)}
            for is_ in most[:NAMED]
        ]
    return found


def _values(rows: Sequence[dict[str, Any]]) -> dict[Any, float]:
    return {row.get(FIELD): float(row[VALUE]) for row in rows if isinstance(row.get(VALUE), int | float)}
