"""`/loki/api/v1/tail`: lines as they are committed, over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from msgspec import structs

from ...core.query import QueryRequest
from ...core.query.printer import query as written
from ...core.query.stages.sort import Sort
from ...core.query.tree import Name, Query
from ...plugins import CordwoodError, in_worker, now_ns
from ..api.node import GateDependency, NodeDependency
from ..auth.principal import Principal
from ..problems import ProblemException, is_database_trouble
from . import answers
from .labels import Labels
from .logs import LogPlan, plan_log
from .parser import parse_log
from .times import HOUR, Parameters

if TYPE_CHECKING:
    from ...core.runtime import Node

MOST_LINES: Final = 5_000  # of one message; a commit that has more is cut, and the message says how many are left out
LINES: Final = 100
REFUSED: Final = 1008
GOING: Final = 1001
_LOOK_S: Final = 1.0  # seconds until it is looked whether who follows still may
_encode = msgspec.json.Encoder().encode
_OLDEST: Final = Sort(keys=(Name("timestamp"),), descending=(False,))


@websocket("/loki/api/v1/tail", opt={"access": "query", "filtered": True, "any_project": True})
async def loki_tail(socket: WebSocket[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> None:
    """First the last lines since `start`, then all that come, until the client goes, or may no longer."""
    await socket.accept()
    principal: Principal = socket.scope["user"]
    try:
        query: dict[str, list[str]] = {}
        for name, value in socket.query_params.multi_items():
            query.setdefault(name, []).append(str(value))
        given = Parameters(query, now_ns())
        project_id = node.project_id if principal.project_id is None else principal.project_id
        around = QueryRequest(text="", project_id=project_id, now_ns=given.now_ns, rights=principal.rights)
        found = await node.engine.fields(around)
        plan = plan_log(parse_log(given.text("query")), Labels(field.name for field in found.fields))
        await _run(socket, node, gate, _Tail(node, around, plan, principal), given)
    except (CordwoodError, ProblemException) as why:
        text = getattr(why, "message", None) or str(why)
        await socket.close(code=REFUSED, reason=text.encode()[:120].decode(errors="ignore"))
    except WebSocketDisconnect:
        pass


class _Tail:
    """What is followed, as whom."""

    def __init__(self, node: Node, around: QueryRequest, plan: LogPlan, principal: Principal) -> None:
        self.node, self.around, self.plan, self.principal = node, around, plan, principal
        self.text = written(Query(plan.query.search, (*plan.query.stages, _OLDEST)))

    async def before(self, start: int, limit: int, upto: int) -> bytes | None:
        """The last lines since a time, oldest first."""
        text = written(self.plan.query)
        request = structs.replace(self.around, text=text, from_ns=start, limit=limit, upto_position=upto)
        result = await self.node.engine.run(request)
        streams = await in_worker(lambda: answers.streams(result, self.plan, categorize=False))
        for stream in streams:
            stream["values"].reverse()
        return _encode({"streams": streams, "dropped_entries": None}) if streams else None

    async def between(self, first: int, last: int) -> bytes | None:
        """The lines of some commits."""
        request = structs.replace(
            self.around, text=self.text, now_ns=now_ns(), limit=MOST_LINES, after_position=first - 1, upto_position=last
        )
        result = await self.node.engine.run(request)
        streams = await in_worker(lambda: answers.streams(result, self.plan, categorize=False))
        if not streams:
            return None
        dropped = None if result.complete else [{"labels": {}, "timestamp": streams[-1]["values"][-1][0]}]
        return _encode({"streams": streams, "dropped_entries": dropped})


async def _run(
    socket: WebSocket[Any, Any, Any], node: Node, gate: GateDependency, tail: _Tail, given: Parameters
) -> None:
    """Send until the client goes away, which a task of its own waits for."""
    limit = given.number("limit", LINES, MOST_LINES)
    start = given.time("start", given.now_ns - HOUR)
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            try:
                while True:
                    await socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        await _follow(socket, node, gate, tail, start, limit)
        await socket.close(code=GOING, reason="the server stops, or you may no longer follow")
        tasks.cancel_scope.cancel()


async def _follow(
    socket: WebSocket[Any, Any, Any], node: Node, gate: GateDependency, tail: _Tail, start: int, limit: int
) -> None:
    project_id = tail.around.project_id
    async with node.following.log(project_id) as log:
        done = await node.store.catalog.head(project_id)
        if limit and (message := await tail.before(start, limit, done)):
            await socket.send_data(message, mode="text")
        while not await _over(socket, gate, tail.principal):
            try:
                head = await log.passed(done, _LOOK_S)
                if head > done:
                    message = await tail.between(done + 1, head)
                    if message and not await _over(socket, gate, tail.principal):
                        await socket.send_data(message, mode="text")
                    done = head
            except Exception as why:
                if not is_database_trouble(why):
                    raise
                return


async def _over(socket: WebSocket[Any, Any, Any], gate: GateDependency, before: Principal) -> bool:
    if socket.app.state.stopping:
        return True
    principal = await gate.identify(socket.headers)
    return principal is None or "query" not in principal.permissions or principal.rights != before.rights
