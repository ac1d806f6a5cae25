"""A ClickHouse that answers queries over segments in a bucket, by its HTTP interface.

A query is one request, a multipart form: the statement, the rows that are not in the bucket yet as tables that live as
long as the query, and keys as parameters, which stand in no statement. ClickHouse may change nothing (`readonly`), and
holds the time and the bytes that the request may take. What it cannot do is left to the engine here (`UnableError`).
"""

from __future__ import annotations

import asyncio
import io
import math
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import anyio
import anyio.to_thread
import msgspec
import pyarrow as pa

from ...config.engine_address import EngineAddress
from ...plugins.base import SharedObject
from ...plugins.errors import CordwoodError, QueryError
from .clickhouse import SETTINGS
from .clickhouse_plan import HINT, plan_clickhouse
from .clickhouse_reads import FILE, ROW, Reads
from .duck import ANSWER_BYTES, Interrupted, Running
from .plan import Given, Statement
from .request import Cache
from .sql import REFUSED

MOST_ALONG = 256 << 20  # bytes of segments that may go along with a query
AT_ONCE = 32  # requests; others wait
_CONNECT_SECONDS = 3.0  # a query waits for it, and is then answered here
_KILL_SECONDS = 2.0
_MOST_STATEMENT = 16 << 20  # characters: a statement names every segment
# ClickHouse's numbers of errors (src/Common/ErrorCodes.cpp) that the query is to blame for.
_TOO_LONG = (159, 160)
_TOO_LARGE = (241, 307, 396)
_CANCELLED = 394
_THROWN = 395
Part = tuple[str, tuple[str | None, str | bytes]]


class UnableError(CordwoodError):
    """ClickHouse does not answer this query; the text says why. It has no secret in it."""


class ClickHouse:
    """One ClickHouse, or a cluster of them.

    :param shared: segment ids → where ClickHouse reads them, without those that it cannot.
    """

    def __init__(
        self,
        address: EngineAddress,
        cache: Cache,
        shared: Callable[[Sequence[int]], Awaitable[Mapping[int, SharedObject]]],
    ) -> None:
        self.address = address
        self._cache, self._shared = cache, shared
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    async def answer(self, given: Given, running: Running) -> tuple[Statement, pa.Table]:
        """The statement that ClickHouse was asked, and its rows.

        :raises UnableError: it is to be answered here; without a reason where no segment is in a bucket yet
        :raises QueryError: the query takes too long or too much memory, or refuses itself
        :raises Interrupted: it was stopped
        :raises SegmentGoneError: what would have gone along was replaced meanwhile
        """
        statement, reads = await self.statement(given)
        if not reads.objects:
            raise UnableError("")
        parts: list[Part] = [("query", (None, f"{statement.sql} FORMAT ArrowStream"))]
        parts += [(f"param_{name}", (None, value)) for name, value in reads.secrets.items()]
        with anyio.CancelScope() as scope:
            stop = asyncio.get_running_loop().call_soon_threadsafe
            with running.interrupts(lambda: stop(scope.cancel)):
                parts += await self._along(given, reads)
                return statement, await self._table(parts, [self.address.password, *reads.secrets.values()])
        raise Interrupted

    async def statement(self, given: Given) -> tuple[Statement, Reads]:
        """What is asked, and what goes with it.

        :raises UnableError: ClickHouse has not what the query needs
        """
        segments = {segment.id: segment for part in given.every() for segment in part.segments}
        objects = await self._shared(list(segments))
        kinds = {column.column: column.kind for segment in segments.values() for column in segment.columns}
        reads = Reads(kinds, {str(id_): there for id_, there in objects.items()}, self.address.cluster)
        try:
            return plan_clickhouse(given, {id_: str(id_) for id_ in segments}, reads), reads
        except QueryError as why:
            if why.hint != HINT:
                raise
            raise UnableError(why.message) from None

    async def explained(self, given: Given) -> str:
        """The statement that would be sent, without its keys; or why none is."""
        try:
            statement, reads = await self.statement(given)
        except UnableError as why:
            return f"none: {why}"
        return statement.sql if reads.objects else "none: no segment is in a bucket yet"

    async def _along(self, given: Given, reads: Reads) -> list[Part]:
        """The tables that go along, as parts of the form."""
        wanted = {int(file) for along in reads.along for _, file in along.files}
        segments = {segment.id: segment for part in given.every() for segment in part.segments if segment.id in wanted}
        if (size := sum(segment.bytes for segment in segments.values())) > MOST_ALONG:
            raise UnableError(f"{size >> 20} MiB of segments are not in a bucket yet, {MOST_ALONG >> 20} may go along")
        found = await self._cache.paths(list(segments.values())) if segments else {}
        paths = {str(id_): path for id_, path in found.items()}
        parts: list[Part] = []
        for along in reads.along:
            parts += [
                (f"{along.name}_format", (None, "Parquet")),
                (f"{along.name}_structure", (None, reads.structure(along.columns, (FILE, ROW)))),
                (along.name, (along.name, await anyio.to_thread.run_sync(reads.parquet, along, paths))),
            ]
        return parts

    async def _table(self, parts: Sequence[Part], secrets: Sequence[str]) -> pa.Table:
        import httpx  # where it is used: most nodes have no such engine

        query_id = f"cordwood-{uuid.uuid4().hex}"
        try:
            async with self._turns:
                data = await self._post({**_settings(), "query_id": query_id}, parts)
            return await anyio.to_thread.run_sync(_read, data)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True), anyio.move_on_after(_KILL_SECONDS):
                await self._kill(query_id)
            raise
        except httpx.HTTPError as why:
            raise UnableError(f"it cannot be reached: {type(why).__name__}") from None
        except _RefusedError as why:
            raise _meaning(why, secrets) from None

    async def _kill(self, query_id: str) -> None:
        """End a statement whose answer nobody waits for; ClickHouse also sees that the connection is gone."""
        import httpx

        with suppress(httpx.HTTPError, _RefusedError):
            await self._post(
                {"param_id": query_id}, [("query", (None, "KILL QUERY WHERE query_id = {id:String} ASYNC"))]
            )

    async def _post(self, parameters: Mapping[str, str], parts: Sequence[Part]) -> bytes:
        """The answer to a form, which is no larger than one may be."""
        import httpx

        address = self.address
        headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)  # the whole is under the time limit of the query
        data = bytearray()
        async with (
            httpx.AsyncClient(timeout=timeout, headers=headers, verify=address.url.startswith("https:")) as client,
            client.stream(
                "POST", address.url, params={"database": address.database, **parameters}, files=list(parts)
            ) as response,
        ):
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > ANSWER_BYTES:
                    raise QueryError(
                        f"the answer is larger than {ANSWER_BYTES >> 20} MiB", hint="ask for fewer rows or fields"
                    )
            if response.status_code != httpx.codes.OK:
                raise _RefusedError(data[:100_000].decode(errors="replace"), response.status_code)
        return bytes(data)


class _RefusedError(Exception):
    """What ClickHouse says against a request."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.said, self.status = said, status
        number = re.match(r"Code: (\d+)\.", said)
        self.code = int(number[1]) if number else 0


def _settings() -> dict[str, str]:
    """What a request sets, besides what statements are written for: its limits are those of the caller."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    limits: dict[str, object] = {
        "max_execution_time": math.ceil(left) if math.isfinite(left) else 0,
        "max_result_bytes": ANSWER_BYTES,
        "max_query_size": _MOST_STATEMENT,
        "input_format_parquet_allow_missing_columns": 1,
        "cancel_http_readonly_queries_on_client_close": 1,
        "wait_end_of_query": 1,  # else an error comes in the middle of the rows
    }
    return {name: str(value) for name, value in {**limits, **SETTINGS}.items()}


def _read(data: bytes) -> pa.Table:
    """:raises UnableError: they are no rows"""
    try:
        return pa.ipc.open_stream(io.BytesIO(data)).read_all()
    except pa.ArrowInvalid:
        raise UnableError("its answer is no Arrow stream: is this ClickHouse's HTTP interface?") from None


def _meaning(why: _RefusedError, secrets: Sequence[str]) -> Exception:
    """What a refusal means for who asked."""
    if why.code == _THROWN and (found := re.search(rf"{REFUSED}(\[.*?\])(?::|\.? \(|$)", why.said)) is not None:
        with suppress(msgspec.DecodeError):
            message, line, column, hint = msgspec.json.decode(found[1], type=tuple[str, int, int, str])
            return QueryError(message, line=line, column=column, hint=hint)
    if why.code in _TOO_LONG:
        return QueryError("the query took too long", hint="ask for a shorter range, or raise the timeout")
    if why.code in _TOO_LARGE:
        return QueryError(
            "the query needs more memory than ClickHouse lets it use", hint="ask for less: fewer keys, a shorter range"
        )
    if why.code == _CANCELLED:
        return Interrupted()
    text = why.said.replace("\n", " ").strip()
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return UnableError(f"it says {text[:200] or f'nothing, with status {why.status}'}")
