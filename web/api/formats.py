"""The forms an answer takes: JSON, NDJSON, CSV, Arrow; which one, `Accept` says. Made in a worker thread, in parts."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
import pyarrow as pa
from litestar.response import Response, Stream

from ...core.query.result import cells, rows_of
from ...plugins import in_worker
from ..problems import ProblemException

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream

    from ...core.query import QueryResult
    from ...core.query.export import Export, Piece
    from ...core.query.plan import Output

Say = Callable[[bytes], Awaitable[None]]
"""Sends a part of the answer."""
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
EVENTS: Final = "text/event-stream"
FORMATS: Final = (JSON, NDJSON, CSV, ARROW, EVENTS)
_ALIASES: Final = {"application/ndjson": NDJSON, "application/jsonl": NDJSON}
_ROWS_A_PART: Final = 2000  # a part is some hundred kilobytes: a slow reader holds that much, not the whole answer

_encode = msgspec.json.Encoder().encode


def preferred(accept: str, offered: Sequence[str] = FORMATS) -> str:
    """The offered media type that an Accept header likes best; the first where it does not matter.

    >>> preferred("text/csv;q=0.5, application/x-ndjson"), preferred("*/*"), preferred("")
    ('application/x-ndjson', 'application/json', 'application/json')

    :raises ProblemException: 406, it takes none of them
    """
    if not accept.strip():
        return offered[0]
    wanted: dict[str, float] = {}
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        wanted[_ALIASES.get(name, name)] = _quality(parameters)
    best, quality = "", 0.0
    for name in offered:
        ranges = (name, name.partition("/")[0] + "/*", "*/*")
        liking = next((wanted[found] for found in ranges if found in wanted), 0.0)
        if liking > quality:
            best, quality = name, liking
    if not best:
        raise ProblemException(406, f"Accept {accept[:100]!r} asks for none of {', '.join(offered)}")
    return best


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def in_parts(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, each made in a worker thread when the reader has taken the one before."""
    while part := await in_worker(next, parts, b""):
        yield part


def json_text(result: QueryResult) -> Iterator[bytes]:
    """One object, in the form of `QueryAnswer`."""
    rows = result.rows()
    part, separator = _head(result), b""
    while taken := list(islice(rows, _ROWS_A_PART)):
        if separator:
            yield part
            part = b""
        written = _encode(taken)[1:-1]
        if len(taken) == len(result):
            result.written[:] = [written]
        part += separator + written
        separator = b","
    yield part + _rest(result)


def json_answer(result: QueryResult, headers: dict[str, str]) -> Response[Any]:
    """One object, in the form of `QueryAnswer`; at once where somebody had the same answer before."""
    if result.written:
        return Response(_head(result) + result.written[0] + _rest(result), media_type=JSON, headers=headers)
    return Stream(in_parts(json_text(result)), media_type=JSON, headers=headers)


def _head(result: QueryResult) -> bytes:
    return _encode({"id": result.id, "columns": result.columns})[:-1] + b',"rows":['


def _rest(result: QueryResult) -> bytes:
    rest = {"stats": result.stats, "warnings": result.warnings, "complete": result.complete, "sampled": result.sampled}
    return b"]," + _encode(rest)[1:]


async def ndjson(export: Export, say: Say) -> None:
    """An object a row, nulls left out: events in the form in which they can be sent in again."""
    async with ahead(export.pieces) as pieces:
        async for piece in _each(pieces):
            await say(await in_worker(_octets, piece))


async def csv_text(export: Export, say: Say) -> None:
    """RFC 4180 with a header: nulls are empty, JSON values are JSON.

    Values are written as they are: a text that begins with `=` is data, and stays so in a program that reads data.
    """
    await say(_csv_lines([[output.name for output in export.outputs]]))
    async with ahead(export.pieces) as pieces:
        async for piece in _each(pieces):
            rows = rows_of(export.outputs, await in_worker(piece))
            while written := await in_worker(_csv_part, rows):
                await say(written)


async def arrow(export: Export, say: Say) -> None:
    """An Arrow stream. Times are UTC, levels their names; a column of several kinds is JSON text."""
    sink, writer = io.BytesIO(), None

    async def said() -> None:
        await say(sink.getvalue())
        sink.seek(0)
        sink.truncate()

    async with ahead(export.pieces) as pieces:
        async for piece in _each(pieces):
            table = await in_worker(_arrow_table, export.outputs, piece)
            writer = writer or pa.ipc.new_stream(sink, table.schema)
            for batch in table.to_batches(max_chunksize=_ROWS_A_PART * 10):
                await in_worker(writer.write_batch, batch)
                await said()
    if writer is not None:
        writer.close()
        await said()


@asynccontextmanager
async def ahead(pieces: AsyncIterator[Sequence[Piece]]) -> AsyncIterator[MemoryObjectReceiveStream[Sequence[Piece]]]:
    """The pieces, the next ones read while those before are written and sent."""
    send, receive = anyio.create_memory_object_stream[Sequence["Piece"]](0)

    async def read() -> None:
        async with send:
            async for some in pieces:
                await send.send(some)

    async with receive, anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        yield receive


async def _each(pieces: AsyncIterator[Sequence[Piece]]) -> AsyncIterator[Piece]:
    async for some in pieces:
        for piece in some:
            yield piece


def _octets(piece: Piece) -> bytes:
    """The texts of a piece's one column, one after the other."""
    texts: Any = piece().column(0).combine_chunks()
    _, offsets, octets = texts.buffers()
    return bytes(memoryview(octets)[: memoryview(offsets).cast("i")[len(texts)]]) if len(texts) else b""


def _arrow_table(outputs: Sequence[Output], piece: Piece) -> pa.Table:
    rows, arrays = piece(), list[Any]()
    for output in outputs:
        kind, name = output.kinds[0] if output.kinds else ("null", "")
        array: Any
        if len(output.kinds) > 1:
            values = cells(output, rows)
            array = pa.array([None if value is None else _encode(value).decode() for value in values], pa.string())
        elif kind == "time":
            array = rows.column(name).cast(pa.timestamp("ns", tz="UTC"))
        elif kind == "severity":
            array = pa.array(cells(output, rows), pa.string())
        else:
            array = rows.column(name) if name else pa.nulls(rows.num_rows)
        arrays.append(array)
    return pa.table(arrays, names=[output.name for output in outputs])


def _csv_part(rows: Iterator[list[Any]]) -> bytes:
    return _csv_lines([_csv_value(value) for value in row] for row in islice(rows, _ROWS_A_PART))


def _csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _csv_value(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return value
        case _:
            return _encode(value).decode()
