"""The web application: API, ingestion and UI under one port, and the gate before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from litestar import Litestar, Request
from litestar.di import Provide

from ..core.tracing import Tracing
from ..plugins import HttpSource, RetryableError, load_plugins
from .api import HANDLERS
from .api.node import GateDependency, NodeDependency, who_asks
from .api.status import Rate
from .asgi import Message, Receive, Scope, Send, answer_problem, headers_of
from .auth.attempts import MOST_RESETS, MOST_SHARED, RESETS_WINDOW_S, SHARED_WINDOW_S, Attempts
from .auth.gate import Gate, check_access
from .bodies import Bounds, Budget
from .cross_origin import PAGE_HEADERS, allow, asks_for, note_page, page_headers
from .intake import Intake
from .loki import HANDLERS as LOKI_HANDLERS
from .pages import Pages
from .problems import JsonRequest, ProblemException, problem_response, to_problem
from .schema import openapi_config
from .sharing import Sharing

if TYPE_CHECKING:
    from ..core.runtime import Node

# Scripts only from this server and none inline. Styles may be inline: the query editor writes them.
_CSP: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    b" font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self';"
    b" frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", _CSP),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SECURED: Final = frozenset({*(name for name, _ in SECURITY_HEADERS), *PAGE_HEADERS})
_API: Final = ("/acknowledge", "/api", "/loki", "/mcp", "/schema", "/healthz", "/readyz", "/metrics")
_PROBES: Final = ("/healthz", "/readyz")  # their callers name the host as they like, and they tell nothing
_UNTRACED: Final = frozenset({*_PROBES, "/metrics"})


def create_app(node: Node, *, bounds: Bounds | None = None, budget: Budget | None = None) -> Application:
    """The ASGI application of a node, for uvicorn. It holds what it needs itself: two of them do not meet."""

    def pool() -> asyncpg.Pool:
        if not node.ready:
            raise RetryableError("Cordwood starts or stops; try again")
        return node.store.pool

    gate = Gate(pool, node.settings.host)
    node.door.welcome = gate.welcome
    intake = Intake(
        lambda: node.http_sources,
        gate,
        bounds=lambda: bounds or Bounds.of(node.config.limits),
        budget=budget or Budget(node.config.limits.bodies_in_flight),
        admission=lambda principal: node.admission_of(principal.project_id, principal.project),
    )
    return Application(
        gate, intake, create_api(node, gate), Pages(), lambda: node.following.wake(), tracing=lambda: node.tracing
    )


def create_api(node: Node | None, gate: Gate | None = None) -> Litestar:
    """The API of a node; without one, only its OpenAPI document is of use."""

    async def provide_node() -> Any:
        return node

    # Each asks for the one before: Litestar makes a task for each of those that it could resolve at the same time.
    async def provide_gate(node: NodeDependency) -> Any:
        return gate

    async def provide_project_id(request: Request[Any, Any, Any], gate: GateDependency) -> Any:
        principal = who_asks(request)
        return node.project_id if node is not None and principal.project_id is None else principal.project_id

    found = (node.registry if node else load_plugins()).kinds["source"].values()
    app = Litestar(
        (*HANDLERS, *LOKI_HANDLERS),
        dependencies={
            "node": Provide(provide_node),
            "gate": Provide(provide_gate),
            "project_id": Provide(provide_project_id),
        },
        guards=[check_access],
        exception_handlers={Exception: problem_response},
        request_class=JsonRequest,
        openapi_config=openapi_config([plugin.cls for plugin in found if issubclass(plugin.cls, HttpSource)]),
        request_max_body_size=1024 * 1024,
        logging_config=None,
    )
    app.state.stopping = False
    app.state.sharing = Sharing()
    app.state.gate, app.state.attempts, app.state.ingest_rate = gate, Attempts(), Rate()
    app.state.resets_asked = Attempts(most=MOST_RESETS, window_s=RESETS_WINDOW_S, what="links asked for")
    app.state.shares_used = Attempts(most=MOST_SHARED, window_s=SHARED_WINDOW_S, what="uses of this link")
    app.state.oidc = None  # made at the first sign-in, and again when the settings change
    return app


class Application:
    """Gate first, then whoever the path belongs to: a source, the API, else the UI."""

    def __init__(
        self,
        gate: Gate,
        intake: Intake,
        api: Litestar,
        pages: Pages,
        wake: Callable[[], None],
        *,
        tracing: Callable[[], Tracing] = Tracing,
    ) -> None:
        self.gate, self.intake, self.api, self.pages, self._wake = gate, intake, api, pages, wake
        self._tracing = tracing

    def stop(self) -> None:
        """End the live tails, which have no end of their own: a server that stops waits for its answers."""
        self.api.state.stopping = True
        self._wake()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            await self._follow(scope, receive, send)
            return
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                told({"http.response.status_code": message["status"]})
                message["headers"] = _with_security(message.get("headers", ()), scope)
            await send(message)

        headers = headers_of(scope)
        tracing = Tracing() if scope["path"] in _UNTRACED else self._tracing()
        with tracing.request(scope["method"], scope["path"], headers) as told:
            try:
                await self._route(scope, receive, secured, headers)
            except Exception as why:
                if started:
                    raise
                await answer_problem(scope, secured, why)

    async def _follow(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket passes the gate as a request that changes something does: a page elsewhere may open none."""
        seen = {**scope, "method": "POST", "scheme": {"ws": "http", "wss": "https"}.get(scope["scheme"], "https")}
        try:
            await self.gate.admit(seen, headers_of(scope))
            await self.gate.admit_page(seen, headers_of(scope))
        except Exception as why:
            problem, _ = to_problem(why)
            await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
            return
        await self.api(scope, receive, send)  # type: ignore[arg-type]

    async def _route(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        path = scope["path"]
        if "\0" in path or b"%00" in scope["query_string"]:
            raise ProblemException(400, "no name or text here can have a NUL in it")
        if path not in _PROBES:
            await self.gate.admit(scope, headers)
        asked = asks_for(scope, headers)
        found = self.intake.find(asked or scope["method"], path, headers)
        if found:
            await note_page(self.gate, scope, headers)
        else:
            await self.gate.admit_page(scope, headers)
        if found and asked:
            await allow(scope, send, headers, asked)
        elif found:
            await self.intake(scope, receive, send, headers, *found)
        elif path.startswith(_API) and any(path == root or path.startswith(f"{root}/") for root in _API):
            if path.startswith(
                ("/api/v1/fields/", "/loki/api/v1/detected_field/")
            ):  # a field's name may have a slash, which is %2F until it is routed
                scope["path"] = scope["raw_path"].decode("latin-1")
            await self.api(scope, receive, send)  # type: ignore[arg-type]
        else:
            await self.pages(scope, send, headers)


def _with_security(headers: Any, scope: Scope) -> list[tuple[bytes, bytes]]:
    found = list(headers)
    names = {name.lower() for name, _ in found}
    if scope["path"].startswith("/api/") and b"cache-control" not in names:
        found.append((b"cache-control", b"no-store"))
    ours = (*SECURITY_HEADERS, *page_headers(scope))
    found += ours if names.isdisjoint(_SECURED) else [item for item in ours if item[0] not in names]
    return found
