"""Takes what a deletion finds out of incidents, notifications and patterns: samples, groups, titles, messages sent.

A sample that the search finds is removed, and so is one that was cut when it was taken: it may have been found whole.
Others stay as their events do. Elsewhere the values that the search asks for are replaced by `…` wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import anyio.to_thread
import asyncpg
import msgspec

from ...plugins import Batch
from ..query import BatchFilter, parse
from ..query.masked import HIDDEN, Value, fields, values
from ..storage.database import Connection
from ..storage.erase import Search
from .records import to_datetime

_CUT_BYTES = 3_000  # of a sample's JSON, from which on fields may have been left out of it; see `samples.MAX_BYTES`
_SHORT = 4  # characters; a shorter value is replaced only where it stands alone
_PAGE = 200  # incidents changed by one statement
_INCIDENTS = """
select id, dedup_key, title, "group", "values", query, samples from incident
where project_id = $1 and id > $4 and ($2::timestamptz is null or to_time >= $2)
  and ($3::timestamptz is null or from_time < $3)
order by id limit $5
"""
_TEXTS = "select project_id, detector, key, text from detector_memory where project_id = $1 and text is not null"
_SHAPED = "select id, name, patterns from shaped_pattern where project_id = $1"
_NOTIFICATIONS = "select id, incident_id, payload, attempts, error from notification where incident_id = any($1)"


async def scrub(connection: Connection, search: Search) -> None:
    """Do it for the incidents whose time meets the search's, in the transaction given."""
    scrubber = await anyio.to_thread.run_sync(Scrubber, search)
    try:
        last = 0
        until_ns = None if search.to_ns is None else search.to_ns + 999  # up to a whole microsecond: no edge is missed
        bounds = [None if ns is None else to_datetime(ns) for ns in (search.from_ns, until_ns)]
        while incidents := await connection.fetch(_INCIDENTS, search.project_id, *bounds, last, _PAGE):
            last = incidents[-1]["id"]
            notifications = await connection.fetch(_NOTIFICATIONS, [row["id"] for row in incidents])
            changed, told = await anyio.to_thread.run_sync(scrubber.page, incidents, notifications)
            await connection.executemany(
                'update incident set dedup_key = $2, title = $3, "group" = $4, "values" = $5, query = $6, samples = $7 '
                "where id = $1",
                changed,
            )
            await connection.executemany(
                "update notification set payload = $2, attempts = $3, error = $4 where id = $1", told
            )
        texts = await connection.fetch(_TEXTS, search.project_id)
        hidden = await anyio.to_thread.run_sync(scrubber.texts, texts)
        shaped = await connection.fetch(_SHAPED, search.project_id)
        gone = await anyio.to_thread.run_sync(scrubber.shaped, shaped)
        await connection.execute("delete from shaped_pattern where id = any($1::bigint[])", gone)
        await connection.executemany(
            "update detector_memory set text = $4 where project_id = $1 and detector = $2 and key = $3", hidden
        )
    finally:
        scrubber.close()


class Scrubber:
    """Decides what of an incident's rows goes. Blocking; `close` gives back memory.

    :raises QueryError: the search is wrong
    """

    def __init__(self, search: Search) -> None:
        tree = parse(search.text).search
        self._search = search
        self._fields = fields(tree)
        self._values = values(tree)
        self._filter = BatchFilter(search.text, timezone=search.timezone)

    def close(self) -> None:
        """Give back memory."""
        self._filter.close()

    def page(
        self, incidents: Sequence[asyncpg.Record], notifications: Sequence[asyncpg.Record]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """The changed rows' columns, in the order of the statements above."""
        grouped = self._found([dict(row["group"]) for row in incidents])
        changed, told = [], []
        hiders = {}
        for row, is_found in zip(incidents, grouped, strict=True):
            more = [(key, re.escape(str(value))) for key, value in row["group"].items() if key in self._fields]
            hide = hiders[row["id"]] = Hider([*self._values, *(more if is_found else [])])
            new = {name: hide(row[name]) for name in ("dedup_key", "title", "group", "values", "query")}
            new["samples"] = self._samples(row["samples"])
            if new["dedup_key"] != row["dedup_key"]:
                new["dedup_key"] += f"#{row['id']}"  # two that become equal stay two
            if any(new[name] != row[name] for name in new):
                changed.append((row["id"], *new.values()))
        for row in notifications:
            hide = hiders[row["incident_id"]]
            new = {name: hide(row[name]) for name in ("payload", "attempts", "error")}
            if any(new[name] != row[name] for name in new):
                told.append((row["id"], *new.values()))
        return changed, told

    def texts(self, rows: Sequence[asyncpg.Record]) -> list[tuple[Any, ...]]:
        """What detectors remember, with the search's values hidden: the changed rows."""
        hide = Hider(self._values)
        found = [(*row.values(), hide(row["text"])) for row in rows]
        return [(project, name, key, new) for project, name, key, text, new in found if new != text]

    def shaped(self, rows: Sequence[asyncpg.Record]) -> list[int]:
        """The patterns shaped by people that have one of the search's values in a text or in the name."""
        hide = Hider(self._values)
        return [row["id"] for row in rows if hide(words := [row["name"] or "", *row["patterns"]]) != words]

    def _samples(self, samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that stay."""
        inside = self._found(samples)
        return [
            sample
            for sample, is_found in zip(samples, inside, strict=True)
            if not (is_found or was_cut(sample)) or not self._in_range(sample)
        ]

    def _in_range(self, sample: Mapping[str, Any]) -> bool:
        (ns,) = Batch.from_records([dict(sample)]).frame["timestamp"].to_physical()
        low, high = self._search.from_ns, self._search.to_ns
        return (low is None or ns >= low) and (high is None or ns < high)

    def _found(self, records: Sequence[dict[str, Any]]) -> list[bool]:
        # One by one: what a record lacks must not count as a field of it because another has it.
        return [self._filter.mask(Batch.from_records([record]), self._search.now_ns)[0] for record in records]


class Hider:
    """Replaces values in JSON: `Hider([("user", "ada")])({"user": "ada", "n": 1})`."""

    def __init__(self, hidden: Sequence[Value]) -> None:
        texts = [text if len(text) >= _SHORT else rf"(?<!\w){text}(?!\w)" for _, text in hidden if text]
        self._pairs = set(hidden)
        self._patterns = [pattern for text in texts if (pattern := _compiled(text)) is not None]

    def __call__(self, value: Any, key: str | None = None) -> Any:
        """The value with `…` for what is to be hidden; numbers only where they are the very field's."""
        match value:
            case str():
                for pattern in self._patterns:
                    value = pattern.sub(HIDDEN, value)
                return value
            case dict():
                return {name: self(item, name) for name, item in value.items()}
            case list():
                return [self(item, key) for item in value]
            case int() | float() if (key, re.escape(str(value))) in self._pairs:
                return HIDDEN
        return value


def was_cut(sample: Mapping[str, Any]) -> bool:
    """Whether the event may have had more than its sample; see `samples.bounded`."""
    return len(msgspec.json.encode(sample)) > _CUT_BYTES or any(
        isinstance(value, str) and value.endswith("…") for value in sample.values()
    )


def _compiled(text: str) -> re.Pattern[str] | None:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error:  # of RE2's syntax, which has more
        return None
    return None if pattern.match("") else pattern  # it would match everywhere
