"""`/mcp`: a Model Context Protocol endpoint, so that assistants can look at the logs. It only reads.

Streamable HTTP without sessions: every message is a POST that is answered in JSON. Source: the protocol's
specification, revisions 2025-03-26 to 2025-11-25, "Transports", "Lifecycle" and "Tools". Newer clients begin with
`server/discover` and fall back to these.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from litestar import Request, post
from litestar.response import Response
from msgspec import Meta

from ... import __version__
from ...core.alerting import AlertingRepository
from ...core.alerting.records import IncidentRecord
from ...core.query import QueryRequest
from ...plugins import NOT_JSON, CordwoodError, in_worker, now_ns
from ..problems import ProblemException, to_problem
from .node import NodeDependency, ProjectDependency, who_asks
from .query import MAX_QUERY, unless_gone
from .times import time_ns

if TYPE_CHECKING:
    from ...core.runtime import Node
    from ..auth.principal import Principal

VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
"""Revisions of the protocol that are spoken, the newest first."""
MOST_ROWS: Final = 200  # of an answer: an assistant reads all of it
MOST_BYTES: Final = 64 * 1024  # of an answer; rows beyond are left out, and it says so
LONGEST: Final = 2000  # characters of a text in an answer; what is beyond is left out, with an ellipsis
TIMEOUT_S: Final = 30.0
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INSTRUCTIONS: Final = (
    "Logs of the project that the token is of. A query is a search, then stages behind pipes: "
    'severity>=error service:checkout "card declined" | stats count() as n by host | sort -n. '
    "Look at `fields` first, and at `patterns` for what kinds of messages there are."
)
_encode = msgspec.json.Encoder().encode

QueryText: TypeAlias = Annotated[str, Meta(max_length=MAX_QUERY, description="A query of Cordwood's language")]
Moment: TypeAlias = Annotated[str | None, Meta(description="RFC 3339, as 2026-01-31T12:00:00Z")]
Rows: TypeAlias = Annotated[int, Meta(ge=1, le=MOST_ROWS, description="Rows at most")]


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Run a query over the log events and answer its rows; events come newest first."""

    query: QueryText
    from_: Moment = None
    to: Moment = None
    limit: Rows = 50


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The fields that the events of a search have, with their types and how many events have each."""

    query: QueryText = ""
    from_: Moment = None
    to: Moment = None


class Patterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The kinds of messages that a search finds: patterns with their count, share, first and last time, an example."""

    query: QueryText = ""
    from_: Moment = None
    to: Moment = None
    limit: Rows = 20


class Incidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Incidents that detectors opened, the newest first."""

    state: Literal["open", "acknowledged", "silenced", "resolved"] | None = None
    limit: Rows = 20


class Call(msgspec.Struct, frozen=True):
    """What `tools/call` says."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class Message(msgspec.Struct, frozen=True):
    """A message of JSON-RPC 2.0; one without an id is a notification, or an answer to us."""

    jsonrpc: Literal["2.0"]
    method: str = ""
    id: int | str | None = None
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _Asked:
    """Who asks, and what answers."""

    def __init__(self, node: Node, project_id: int, principal: Principal) -> None:
        self.node, self.project_id, self.principal = node, project_id, principal

    def request(self, text: str, from_: str | None, to: str | None, limit: int | None = None) -> QueryRequest:
        return QueryRequest(
            text=text,
            project_id=self.project_id,
            now_ns=now_ns(),
            from_ns=time_ns(from_, "from"),
            to_ns=time_ns(to, "to"),
            limit=limit,
            timeout=TIMEOUT_S,
            id=f"mcp-{secrets.token_hex(6)}",
            rights=self.principal.rights,
            principal=self.principal.key,
        )

    async def search(self, given: Search) -> Any:
        result = await self.node.engine.run(self.request(given.query, given.from_, given.to, given.limit))
        rows, is_cut = await in_worker(lambda: bounded(result.objects()))
        return {
            "columns": [column.name for column in result.columns][:MOST_ROWS],
            "rows": rows,
            "complete": result.complete and not is_cut,
            "warnings": result.warnings,
        }

    async def fields(self, given: Fields) -> Any:
        found = await self.node.engine.fields(self.request(given.query, given.from_, given.to))
        ordered = sorted(found.fields, key=lambda field: (-field.count, field.name))
        rows, is_cut = bounded(msgspec.to_builtins(field) for field in ordered)
        return {"fields": rows, "complete": found.complete and not is_cut, "warnings": found.warnings}

    async def patterns(self, given: Patterns) -> Any:
        text = f"{given.query} | patterns limit={given.limit}"
        return await self.search(Search(text, given.from_, given.to, given.limit))

    async def incidents(self, given: Incidents) -> Any:
        if self.principal.rights is not None:
            raise ProblemException(403, "this role sees a part of the events, and incidents are made of all of them")
        repository = AlertingRepository(self.node.store.pool)
        page = await repository.list_incidents(self.project_id, limit=given.limit, state=given.state)
        rows, is_cut = bounded(_told(incident) for incident in page.items)
        return {"incidents": rows, "complete": page.next_cursor is None and not is_cut}


Tool: TypeAlias = Callable[[_Asked, Any], Coroutine[Any, Any, Any]]
TOOLS: Final[Mapping[str, tuple[type[msgspec.Struct], Tool]]] = {
    "search": (Search, _Asked.search),
    "fields": (Fields, _Asked.fields),
    "patterns": (Patterns, _Asked.patterns),
    "incidents": (Incidents, _Asked.incidents),
}


def _told(incident: IncidentRecord) -> dict[str, Any]:
    """An incident without its samples, which its query finds."""
    found: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(incident, samples=[]))
    del found["samples"]
    return found


def bounded(rows: Iterable[Any]) -> tuple[list[Any], bool]:
    """As many of the rows as an answer may hold, long texts shortened, and whether some are left out.

    >>> len(bounded("x" * 2000 for _ in range(100))[0]), bounded(["x" * 3000])[0][0][-2:]
    (32, 'x…')
    """
    found: list[Any] = []
    size = 0
    for row in rows:
        short = _short(row)
        size += len(_encode(short)) + 1
        if size > MOST_BYTES or len(found) == MOST_ROWS:
            return found, True
        found.append(short)
    return found, False


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value


def described_tools() -> list[dict[str, Any]]:
    """The tools as `tools/list` answers them."""
    return [
        {
            "name": name,
            "description": kind.__doc__,
            "inputSchema": _schema_of(kind),
            "annotations": {"readOnlyHint": True, "openWorldHint": False},
        }
        for name, (kind, _) in TOOLS.items()
    ]


def _schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind])
    found = components[kind.__name__]
    return {key: value for key, value in found.items() if key not in ("title", "description")}


@post("/mcp", status_code=200, include_in_schema=False, opt={"access": "query", "filtered": True})
async def answer_mcp(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[Any]:
    """One message of the Model Context Protocol; what is no request is taken and not answered."""
    version = request.headers.get("mcp-protocol-version")
    if version is not None and version not in VERSIONS:
        text = f"MCP-Protocol-Version {version[:40]!r}: this speaks {', '.join(VERSIONS)}"
        return _failed(None, INVALID_REQUEST, text, status=400)
    try:
        message = msgspec.json.decode(await request.body(), type=Message)
    except msgspec.ValidationError as why:
        return _failed(None, INVALID_REQUEST, str(why), status=400)
    except NOT_JSON as why:
        return _failed(None, PARSE_ERROR, str(why), status=400)
    if message.id is None or not message.method:
        return Response(b"", status_code=202, media_type="application/json")
    match message.method:
        case "initialize":
            return _answered(message, _welcome(message))
        case "ping":
            return _answered(message, {})
        case "tools/list":
            return _answered(message, {"tools": described_tools()})
        case "tools/call":
            return await _called(message, _Asked(node, project_id, who_asks(request)), request)
    return _failed(message.id, NO_METHOD, f"no method {message.method[:60]!r}")


def _welcome(message: Message) -> dict[str, Any]:
    try:
        wanted = msgspec.json.decode(message.params).get("protocolVersion")
    except (*NOT_JSON, AttributeError):
        wanted = None
    return {
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "cordwood", "version": __version__},
        "instructions": INSTRUCTIONS,
    }


async def _called(message: Message, asked: _Asked, request: Request[Any, Any, Any]) -> Response[Any]:
    """Run a tool. What is wrong with a query is an answer that the assistant reads, and mends."""
    try:
        call = msgspec.json.decode(message.params, type=Call)
        kind, run = TOOLS[call.name]
        arguments = msgspec.json.decode(call.arguments, type=kind)
    except KeyError:
        return _failed(message.id, INVALID_PARAMS, f"no tool of this name; there are {', '.join(TOOLS)}")
    except NOT_JSON as why:
        return _failed(message.id, INVALID_PARAMS, str(why))
    try:
        found = await unless_gone(request, run(asked, arguments))
    except (CordwoodError, ProblemException) as why:
        problem, _ = to_problem(why)
        hints = [error.hint for error in problem.errors if error.hint]
        return _answered(message, _content("; ".join([problem.detail, *hints]), is_error=True))
    return _answered(message, _content(_encode(found).decode()))


def _content(text: str, *, is_error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def _answered(message: Message, result: Any) -> Response[Any]:
    return Response({"jsonrpc": "2.0", "id": message.id, "result": result}, media_type="application/json")


def _failed(id_: int | str | None, code: int, text: str, *, status: int = 200) -> Response[Any]:
    error = {"code": code, "message": text[:500]}
    return Response({"jsonrpc": "2.0", "id": id_, "error": error}, status_code=status, media_type="application/json")
