"""Dead letters: events that a step of a pipeline could not read, kept as they entered it until they are replayed, and
events that the other side of an output refuses for good: those are in the store as well.

They are written by the commit of what went through, and a replay takes them out by the commit that stores their events:
each event is in one of the two places at any moment. There are at most so many; beyond, the oldest go, and are counted.

An event is kept as MessagePack of its row of a batch, `{column: value}` without nulls, times as nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
import polars as pl

from ...plugins.batch import Batch
from ...plugins.errors import CheckpointConflictError
from ...plugins.fields import KINDS, STANDARD, TIME, split_column
from .audit import audit
from .database import Connection

if TYPE_CHECKING:
    from .commit import Submission

_TEXT, _REASON = 8192, 500  # characters shown of a message and of a reason
_OVERHEAD = 200  # bytes of a row beside its event, about
_SHOWN = "id, at, source, pipeline, step, parser, reason, message, bytes, attempts, tried_at, output"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode

_CHOSEN = """
project_id = $1 and ($4::bigint[] is null or id = any($4)) and ($5::text is null or source = $5)
and ($6::text is null or pipeline = $6) and ($7::text is null or output = $7)
"""
_PAGE = f"select {_SHOWN} from ingest_error where {_CHOSEN} and id < $2 order by id desc limit $3"  # noqa: S608 - constants
_NEXT = f"select id, bytes from ingest_error where {_CHOSEN} and id > $2 order by id limit $3"  # noqa: S608
_GET = f"select {_SHOWN}, event from ingest_error where project_id = $1 and id = any($2) order by id"  # noqa: S608
_INSERT = """
insert into ingest_error (project_id, source, pipeline, step, parser, reason, message, event, output, bytes)
select $1, * from unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::bytea[],
                         $9::text[], $10::integer[])
"""
_AGAIN = """
update ingest_error e set pipeline = n.pipeline, step = n.step, parser = n.parser, reason = n.reason,
                          attempts = attempts + 1, tried_at = now()
from unnest($2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[]) n (id, pipeline, step, parser, reason)
where e.project_id = $1 and e.id = n.id
"""
_DELETE = "delete from ingest_error where project_id = $1 and id = any($2) returning bytes"
_OLDEST = """
delete from ingest_error where id in (select id from ingest_error where project_id = $1 order by id limit $2)
returning bytes
"""


@dataclass(frozen=True, slots=True)
class Dead:
    """An event that a step could not read. With an `id` it is a dead letter already, that failed again.

    Of an `output`: an event that its other side refuses; then there is no pipeline, and `parser` is the output's type.
    """

    source: str
    pipeline: str
    step: int
    parser: str
    reason: str
    message: str
    event: bytes
    id: int | None = None
    output: str | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.event) + len(self.reason) + len(self.message) + _OVERHEAD


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many dead letters of a project are kept, and bytes of their events."""

    count: int = 100_000
    bytes: int = 256 * 1024 * 1024


class DeadLetter(msgspec.Struct, frozen=True):
    """A dead letter as it is listed; `message` is the begin of the event's."""

    id: int
    at: datetime
    source: str
    pipeline: str
    step: int
    parser: str
    reason: str
    message: str
    bytes: int
    attempts: int
    tried_at: datetime
    output: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """How many there are, their bytes, and how many went because there were too many."""

    count: int = 0
    bytes: int = 0
    dropped: int = 0


class Selection(msgspec.Struct, frozen=True):
    """Which dead letters; None: any."""

    ids: list[int] | None = None
    source: str | None = None
    pipeline: str | None = None
    output: str | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        """The parameters of `_CHOSEN`."""
        return self.ids, self.source, self.pipeline, self.output


def packed(batch: Batch) -> list[bytes]:
    """Each event of a batch, in order. Blocking, and in Python an event: for those few that are no events yet."""
    frame = batch.frame.with_columns(pl.col(TIME).to_physical())
    names = frame.columns
    return [
        _encode({name: value for name, value in zip(names, row, strict=True) if value is not None})
        for row in frame.iter_rows()
    ]


def unpacked(events: Sequence[bytes]) -> list[Batch]:
    """The events again, in order; several batches where a column has several types in them. Blocking."""
    batches: list[Batch] = []
    rows: list[Mapping[str, Any]] = []
    types: dict[str, pl.DataType] = {}
    for event in events:
        row = _decode(event)
        mine = {name: _type_of(name, value) for name, value in row.items()}
        if any(types.get(name, dtype) != dtype for name, dtype in mine.items()):
            batches.append(_batch(rows, types))
            rows, types = [], {}
        rows.append(row)
        types |= mine
    return [*batches, _batch(rows, types)] if rows else batches


def _batch(rows: Sequence[Mapping[str, Any]], types: Mapping[str, pl.DataType]) -> Batch:
    columns = {
        name: pl.Series([row.get(name) for row in rows], dtype=pl.Int64 if dtype == TIME else dtype).cast(dtype)
        for name, dtype in types.items()
    }
    return Batch.of(pl.DataFrame(columns))


def _type_of(name: str, value: object) -> pl.DataType:
    if name in STANDARD:
        return STANDARD[name]
    by_type = {bool: "bool", int: "int", float: "float", str: "text"}
    dtype = KINDS[by_type[type(value)]]
    assert KINDS[split_column(name, dtype)[1]] == dtype
    return dtype


def dead(
    batch: Batch, rows: pl.Series, reasons: pl.Series, *, source: str, pipeline: str, step: int, parser: str
) -> list[Dead]:
    """Rows of a batch as dead letters. Blocking."""
    chosen = Batch(batch.frame[rows])
    return [
        Dead(source, pipeline, step, parser, _shown(reason, _REASON), _shown(message or "", _TEXT), event)
        for reason, message, event in zip(reasons, chosen.frame["message"], packed(chosen), strict=True)
    ]


def refused(batch: Batch, reasons: Mapping[int, str], *, output: str, type_: str) -> list[Dead]:
    """Rows of a batch, by number, that an output's other side refuses, as dead letters. Blocking."""
    chosen = Batch(batch.frame[sorted(reasons)])
    columns = (sorted(reasons), chosen.frame["source"], chosen.frame["message"], packed(chosen))
    return [
        Dead(
            source or "", "", 0, type_, _shown(reasons[row], _REASON), _shown(message or "", _TEXT), event,
            output=output,
        )
        for row, source, message, event in zip(*columns, strict=True)
    ]  # fmt: skip


def _shown(text: str, most: int) -> str:
    """What a text of PostgreSQL can hold."""
    return text[:most].replace("\0", "\ufffd")


async def enter(
    connection: Connection, group: Sequence[Submission], bounds: Bounds
) -> dict[Submission, CheckpointConflictError]:
    """Enter the dead letters of a commit's submissions, and take out those that they replay, in this transaction.

    Returns the submissions of which a dead letter is not there any more: then nothing may be committed.
    """
    by_project: dict[int, list[Submission]] = {}
    for submission in group:
        if submission.dead or submission.replays:
            by_project.setdefault(submission.project_id, []).append(submission)
    conflicts: dict[Submission, CheckpointConflictError] = {}
    for project_id, mine in sorted(by_project.items()):
        usage = await _locked(connection, project_id)
        count, size = usage.count, usage.bytes
        for submission in mine:
            if not submission.replays:
                continue
            gone = await connection.fetch(_DELETE, project_id, sorted(submission.replays))
            if len(gone) != len(submission.replays):
                conflicts[submission] = CheckpointConflictError("some of these dead letters were replayed or deleted")
            count, size = count - len(gone), size - sum(row[0] for row in gone)
        every = [letter for submission in mine for letter in submission.dead]
        await _write(connection, project_id, every, Usage(count, size, usage.dropped), bounds)
    return conflicts


async def keep(
    connection: Connection,
    project_id: int,
    letters: Sequence[Dead],
    bounds: Bounds,
    *,
    done: Sequence[int] = (),
    lost: int = 0,
) -> None:
    """Enter dead letters, or that some failed again, and take out those that are `done`, in this transaction.

    `lost`: so many more there should be, and are not kept, for there are too many.
    """
    usage = await _locked(connection, project_id)
    gone = await connection.fetch(_DELETE, project_id, done) if done else []
    left = Usage(usage.count - len(gone), usage.bytes - sum(row[0] for row in gone), usage.dropped + lost)
    await _write(connection, project_id, letters, left, bounds)


async def _write(
    connection: Connection, project_id: int, letters: Sequence[Dead], usage: Usage, bounds: Bounds
) -> None:
    """Enter letters, new ones and those that failed again; `usage` is what it is without the new ones."""
    count, size = usage.count, usage.bytes
    if fresh := [letter for letter in letters if letter.id is None]:
        await connection.execute(_INSERT, project_id, *_columns(fresh))
        count, size = count + len(fresh), size + sum(len(letter.event) for letter in fresh)
    if again := [letter for letter in letters if letter.id is not None]:
        told = [[getattr(letter, name) for letter in again] for name in ("id", "pipeline", "step", "parser", "reason")]
        await connection.execute(_AGAIN, project_id, *told)
    await _trim(connection, project_id, Usage(count, size, usage.dropped), bounds)


def _columns(letters: Sequence[Dead]) -> list[list[Any]]:
    names = ("source", "pipeline", "step", "parser", "reason", "message", "event", "output")
    return [*([getattr(letter, name) for letter in letters] for name in names), [len(d.event) for d in letters]]


async def _locked(connection: Connection, project_id: int) -> Usage:
    """The project's figures, locked until the transaction ends: whoever changes dead letters begins here."""
    row = await connection.fetchrow(
        "insert into ingest_error_usage (project_id) values ($1) on conflict (project_id) do update"
        " set project_id = excluded.project_id returning count, bytes, dropped",
        project_id,
    )
    assert row is not None
    return Usage(*row)


async def _trim(connection: Connection, project_id: int, usage: Usage, bounds: Bounds) -> None:
    """Let the oldest go while there are too many, some at once so that it is rare, and store the figures."""
    count, size, dropped = usage.count, usage.bytes, usage.dropped
    while count > bounds.count or size > bounds.bytes:
        surplus = max(count - bounds.count, count // 50, 1)
        gone = await connection.fetch(_OLDEST, project_id, min(surplus, 5000))
        if not gone:
            break
        count, size, dropped = count - len(gone), size - sum(row[0] for row in gone), dropped + len(gone)
    await _store(connection, project_id, Usage(count, size, dropped))


async def some(connection: Connection, project_id: int, *, after: int, most: int) -> list[tuple[int, bytes]]:
    """Ids after `after`, in order, at most so many, each with its event."""
    rows = await connection.fetch(
        "select id, event from ingest_error where project_id = $1 and id > $2 order by id limit $3",
        project_id, after, most,
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


async def remove(connection: Connection, project_id: int, ids: Sequence[int]) -> int:
    """Delete these in this transaction; how many there were."""
    if not ids:
        return 0
    usage = await _locked(connection, project_id)
    gone = await connection.fetch(_DELETE, project_id, ids)
    left = Usage(usage.count - len(gone), usage.bytes - sum(row[0] for row in gone), usage.dropped)
    await _store(connection, project_id, left)
    return len(gone)


async def _store(connection: Connection, project_id: int, usage: Usage) -> None:
    await connection.execute(
        "update ingest_error_usage set count = $2, bytes = $3, dropped = $4 where project_id = $1",
        project_id, usage.count, usage.bytes, usage.dropped,
    )  # fmt: skip


class DeadLetters:
    """The dead letters as the API sees them. Any node; needs the database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(self, project_id: int, chosen: Selection, *, before: int, limit: int) -> list[DeadLetter]:
        """Those with an id below `before`, newest first."""
        return [DeadLetter(*row) for row in await self._pool.fetch(_PAGE, project_id, before, limit, *chosen.values)]

    async def events(self, project_id: int, ids: Sequence[int]) -> list[tuple[DeadLetter, bytes]]:
        """Those of these that are there, in order, each with its event; see `unpacked`."""
        rows = await self._pool.fetch(_GET, project_id, ids)
        return [(DeadLetter(*shown), event) for *shown, event in rows]

    async def usage(self, project_id: int) -> Usage:
        """How many there are."""
        row = await self._pool.fetchrow(
            "select count, bytes, dropped from ingest_error_usage where project_id = $1", project_id
        )
        return Usage(*row) if row else Usage()

    async def next_ids(self, project_id: int, chosen: Selection, *, after: int, most: int, size: int) -> list[int]:
        """The ids after `after`, in order: at most so many, and of so many bytes (but at least one)."""
        rows = await self._pool.fetch(_NEXT, project_id, after, most, *chosen.values)
        found: list[int] = []
        total = 0
        for id_, bytes_ in rows:
            total += bytes_
            if found and total > size:
                break
            found.append(id_)
        return found

    async def delete(self, project_id: int, ids: Sequence[int], who: str) -> int:
        """Delete these for good; how many there were."""
        async with self._pool.acquire() as connection, connection.transaction():
            gone = await remove(connection, project_id, ids)
            if gone:
                await audit(connection, who, "dead_letter.delete", project_id=project_id, count=gone)
        return gone
