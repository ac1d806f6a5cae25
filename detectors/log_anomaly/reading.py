"""Counts and times of the kinds of messages in every bin, in queries whose answers are complete."""

from __future__ import annotations

from collections.abc import Sequence

from ...plugins import MASK, PLACEHOLDER, DetectorRun, QueryError, iso_ns, quoted_field, refined
from ..series.reading import MAX_ROWS, QUERIES, begin_ns, key_of
from .units import Row

FIRST_SPAN = 16  # bins of the first query; after it twice as many while the answers are small
LONGEST_FORM = 300  # characters of a kind; longer ones are told apart by these
AT, KIND, COUNT, FIRST, LAST = "begin_of_bin", "kind_of_message", "messages", "first_at", "last_at"


class Reader:
    """Reads the events that `query` finds as rows for each bin, group, session and kind of message."""

    def __init__(self, query: str, by: Sequence[str], session: Sequence[str], bin_ns: int) -> None:
        self._by, self._session, self._bin_ns = list(by), list(session), bin_ns
        keys = "".join(f", {quoted_field(name)}" for name in [*by, *session])
        search = query.strip() or "*"
        self.text = (
            f'{search} | extend {KIND} = replace(message, /{MASK}/, "{PLACEHOLDER}") '
            f"| stats count() as {COUNT}, min(timestamp) as {FIRST}, max(timestamp) as {LAST} "
            f"by bin(timestamp, {bin_ns}ns) as {AT}, {KIND}{keys}"
        )
        self._forms: dict[str, str] = {}

    async def read(self, run: DetectorRun, from_ns: int, to_ns: int) -> tuple[int, list[Row]]:
        """The rows of [from, to), and how far it came: after some queries it stops, at the end of a bin.

        :raises QueryError: the query is wrong, or one bin has more rows than an answer may have
        """
        found: list[Row] = []
        at, bins = from_ns, FIRST_SPAN
        for _ in range(QUERIES):
            if at >= to_ns:
                break
            until = min(to_ns, at + bins * self._bin_ns)
            rows = await run.query(self.text, from_ns=at, to_ns=until)
            if len(rows) < MAX_ROWS:
                found += [made for row in rows if (made := self._row(row)) is not None]
                at = until
                bins = bins * 2 if len(rows) < MAX_ROWS // 4 else bins
            elif until - at <= self._bin_ns:
                raise QueryError(
                    f"{MAX_ROWS:,} kinds of messages or more in one bin, over all groups and sessions",
                    text=self.text,
                    hint="narrow the search, or take a shorter `bin` or `gap`",
                )
            else:
                bins = max(1, min(bins, (until - at) // self._bin_ns) // 4)
        return at, found

    def _row(self, row: dict[str, object]) -> Row | None:
        """None: no message, or an event that is of no session."""
        mask, at = row.get(KIND), row.get(AT)
        session = [row.get(name) for name in self._session]
        if not isinstance(mask, str) or at is None or (session and all(value is None for value in session)):
            return None
        form = self._forms.get(mask)
        if form is None:
            form = self._forms[mask] = refined(mask)[:LONGEST_FORM]
        group = key_of([row.get(name) for name in self._by])  # type: ignore[misc]
        unit = key_of(session) if session else ""  # type: ignore[arg-type]
        first, last = iso_ns(str(row[FIRST])), iso_ns(str(row[LAST]))
        return Row(begin_ns(str(at)), group, unit, form, int(str(row[COUNT])), first, last)
