"""The memory of detectors: a row for each thing seen, changed in the transaction of the step that saw it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ...plugins import Seen
from ..storage.database import Connection
from .samples import storable

MOST_REMEMBERED = 100_000  # things of one detector, some 15 MB; with texts a tenth, since those are all read at once
MOST_TEXTS = 10_000
MAX_TEXT = 2_000  # characters of a remembered text
_WRITE = """
insert into detector_memory (project_id, detector, key, since, last, text) values ($1, $2, $3, $4, $5, $6)
on conflict (project_id, detector, key) do update set since = excluded.since, last = excluded.last
"""
_EVICT = """
delete from detector_memory where (project_id, detector, key) in (
    select project_id, detector, key from detector_memory
    where project_id = $1 and detector = $2 and (text is not null) = $4 order by last desc, key offset $3)
"""


def digest(key: str) -> bytes:
    """What stands for a key: as good as unique, and short whatever the key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16]


class HeldMemory:
    """A memory that lives as long as it is held, as for a trial over the past. The first of the others' layers."""

    def __init__(self) -> None:
        self.changes: dict[bytes, Seen] = {}

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        """See `plugins.Memory`."""
        return {key: seen for key in keys if (seen := self.changes.get(digest(key))) is not None}

    async def texts(self) -> Sequence[str]:
        """See `plugins.Memory`."""
        return [seen.text for seen in self.changes.values() if seen.text is not None]

    def remember(self, key: str, seen: Seen) -> None:
        """See `plugins.Memory`."""
        self.changes[digest(key)] = seen


class StoredMemory(HeldMemory):
    """The memory of a detector in the database, with what one step changes on top, not yet written.

    `fetch` runs a statement over `detector_memory` and gives its rows.
    """

    def __init__(self, fetch: Callable[[str, Sequence[object]], Awaitable[Sequence[Mapping[str, Any]]]]) -> None:
        super().__init__()
        self._fetch = fetch

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        """See `plugins.Memory`."""
        fresh = dict(await super().recall(keys))
        by_digest = {digest(key): key for key in keys if key not in fresh}
        if by_digest:
            rows = await self._fetch("and key = any($3::bytea[])", [list(by_digest)])
            fresh |= {by_digest[row["key"]]: Seen(row["since"], row["last"], row["text"]) for row in rows}
        return fresh

    async def texts(self) -> Sequence[str]:
        """See `plugins.Memory`."""
        rows = await self._fetch("and text is not null order by last desc, key limit $3", [MOST_TEXTS])
        return [*(row["text"] for row in rows), *await super().texts()]


async def write_memory(connection: Connection, project_id: int, detector: str, changes: Mapping[bytes, Seen]) -> None:
    """Write what a step changed, and forget what is too much."""
    if not changes:
        return
    await connection.executemany(
        _WRITE,
        [
            (project_id, detector, key, seen.since_ns, seen.last_ns, seen.text and storable(seen.text)[:MAX_TEXT])
            for key, seen in changes.items()
        ],
    )
    for most, with_text in ((MOST_REMEMBERED, False), (MOST_TEXTS, True)):
        await connection.execute(_EVICT, project_id, detector, most, with_text)
