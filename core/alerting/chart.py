"""The chart of an incident: how many of the events that show it came when, from before it until now."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import anyio

from ...plugins import Chart, CordwoodError, iso_ns, rfc3339
from .records import to_datetime
from .run import Events

SECOND: Final = 10**9
BARS: Final = 48
LEAD: Final = 8  # windows before the first one in trouble
LEAST_LEAD_NS, MOST_LEAD_NS = 600 * SECOND, 86_400 * SECOND
MOST_NS: Final = 7 * 86_400 * SECOND  # of an incident that lasts longer the end is shown
SECONDS: Final = 5.0  # a message does not wait longer for its chart
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the chart is of: a search for the events of an incident, its first window, and its last moment; in ns."""

    query: str
    from_ns: int
    opened_ns: int
    until_ns: int

    def grid(self) -> tuple[int, int, int]:
        """Where the bars begin, how long each is, and how many there are.

        >>> begin, step, count = Shown("x", 3_600 * SECOND, 3_660 * SECOND, 3_660 * SECOND).grid()
        >>> begin // SECOND, step // SECOND, count
        (2996, 14, 48)
        """
        end = max(self.until_ns, self.opened_ns)
        lead = min(max(LEAD * (self.opened_ns - self.from_ns), LEAST_LEAD_NS), MOST_LEAD_NS)
        begin = max(self.from_ns - lead, end - MOST_NS)
        step = -(-(end - begin) // (BARS * SECOND)) * SECOND
        begin = begin // step * step  # where `bin` begins
        return begin, step, -(-(end - begin) // step)


async def chart_of(events: Events, shown: Shown, now_ns: int) -> Chart | None:
    """None where the search cannot be counted, or not in time: the message matters more."""
    begin, step, count = shown.grid()
    end = begin + count * step
    text = f"{shown.query} | stats count() as events by bin(timestamp, {step}ns) as since"
    rows: list[dict[str, Any]] = []
    try:
        with anyio.fail_after(SECONDS):
            rows = await events.rows(text, from_ns=begin, to_ns=end, now_ns=now_ns, limit=BARS + 2)
    except (CordwoodError, TimeoutError) as why:
        _log.warning("alerting: a message has no chart: %s", str(why) or type(why).__name__)
        return None
    counts = [0] * count
    for row in rows:
        counts[(iso_ns(row["since"]) - begin) // step] += row["events"]
    return Chart(rfc3339(to_datetime(begin)), rfc3339(to_datetime(end)), counts)
