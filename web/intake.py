"""The HTTP sources' routes: what shippers post to.

Beside Litestar rather than in it, for this is the way of every event that comes by HTTP: the body is read once, into
the bytes that the source gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl

import msgspec
from anyio import CapacityLimiter

from ..plugins import HttpRequest, HttpResponse, HttpSource, Outlet
from ..plugins.ndjson import nested
from .asgi import Receive, Scope, Send, answer
from .auth.gate import Gate
from .auth.principal import Principal
from .bodies import Bounds, Budget, ClientGoneError, Lease, decompress, read_body
from .problems import MEDIA_TYPE, ProblemException, to_problem

if TYPE_CHECKING:
    from ..core.runtime.admission import Admission


class MountedHttpSource(Protocol):
    """An HTTP source that runs: its plugin, and where its batches go."""

    @property
    def name(self) -> str: ...
    @property
    def plugin(self) -> HttpSource[Any]: ...
    def outlet_of(self, admission: Admission) -> Outlet:
        """Where batches of the admission's project go."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """A path of a source, with the pattern that finds it."""

    method: str
    path: str
    pattern: re.Pattern[str]
    source: MountedHttpSource


def routes_of(sources: Iterable[MountedHttpSource]) -> list[Route]:
    """The routes of all sources, literal paths before those with `{name}` parts; of two for one path, the first."""
    routes = [
        Route(method.upper(), path, _pattern(path), source)
        for source in sources
        for method, path in source.plugin.routes
    ]
    return sorted(routes, key=lambda route: route.path.count("{"))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    text = "".join(f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return re.compile(text)


class Intake:
    """Answers the requests that belong to an HTTP source.

    `sources` is asked again for every request, so that a reload of the configuration counts at once; so are
    `bounds` and `admission`. Where a limit is reached already nothing is read.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[MountedHttpSource]],
        gate: Gate,
        *,
        bounds: Callable[[], Bounds],
        budget: Budget,
        admission: Callable[[Principal], Admission],
    ) -> None:
        self._sources, self._gate, self.bounds, self.budget = sources, gate, bounds, budget
        self.admission = admission
        self._mounted: Sequence[MountedHttpSource] = ()
        self._literal: dict[str, list[Route]] = {}
        self._patterns: list[Route] = []
        self._workers = CapacityLimiter(2)  # decompression: as many as there are query threads, so that neither starves

    def find(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[Route, dict[str, str]] | None:
        """The route for a request, with the values of its path's parts; None: it is not for a source.

        :raises ProblemException: 405, the path is a source's, the method is not
        """
        sources = self._sources()
        if sources is not self._mounted:
            self._mounted, routes = sources, routes_of(sources)
            self._patterns = [route for route in routes if "{" in route.path]
            self._literal = {}
            for route in routes:
                if "{" not in route.path:
                    self._literal.setdefault(route.path, []).append(route)
        allowed: set[str] = set()
        for route in (*self._literal.get(path, ()), *self._patterns):
            if (found := route.pattern.fullmatch(path)) and route.source.plugin.concerns(path, headers):
                if route.method == method:
                    return route, found.groupdict()
                allowed.add(route.method)
        if allowed:
            allow = ", ".join(sorted(allowed))
            raise ProblemException(405, f"{path[:100]} takes {allow}, not {method[:20]}", headers={"Allow": allow})
        return None

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        route: Route,
        path_params: dict[str, str],
    ) -> None:
        """Let in, read, decompress, hand over, answer. Errors that the source has no words for are raised."""
        plugin = route.source.plugin
        try:
            response = await self._response(scope, receive, headers, route, path_params)
        except ClientGoneError:
            return
        except Exception as why:
            if type(plugin).refusal is HttpSource.refusal:
                raise
            problem, more = to_problem(why)
            own = plugin.refusal(headers, problem.status, problem.detail)
            response = own or HttpResponse(problem.status, msgspec.json.encode(problem), MEDIA_TYPE)
            response = replace(response, headers={**more, **response.headers})
        await answer(scope, send, response.status, response.body, response.media_type, response.headers)

    async def _response(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], route: Route, path_params: dict[str, str]
    ) -> HttpResponse:
        public = route.source.plugin.public(scope["path"]) if route.method in ("GET", "HEAD") else None
        if public is not None:
            return public
        asked = scope["query_string"].decode("latin-1")
        query = dict(parse_qsl(asked, keep_blank_values=True)) if asked else {}
        token = route.source.plugin.token(path_params, query)
        shown = {"authorization": f"Bearer {token}", **headers} if token else headers
        principal = await self._gate.authorise(shown, "ingest")
        if not principal.origins:
            await self._gate.admit_page(scope, headers)
        admission = self.admission(principal)
        outlet = route.source.outlet_of(admission)
        await admission.check()
        with self.budget.lease() as lease:
            try:
                body = await self._body(receive, headers, lease)
            except ProblemException as why:
                if why.limit is not None:
                    admission.reached[why.limit[0], "refused"] += 1
                raise
            request = HttpRequest(
                method=scope["method"],
                path=scope["path"],
                path_params=path_params,
                query=query,
                headers=headers,
                body=body,
            )
            with nested(admission.limits.depth):
                return await route.source.plugin.receive(request, outlet)

    async def _body(self, receive: Receive, headers: Mapping[str, str], lease: Lease) -> bytes:
        bounds = self.bounds()
        body = await read_body(receive, _content_length(headers), bounds, lease)
        return await decompress(body, headers.get("content-encoding", ""), bounds, lease, self._workers)


_LENGTH: Final = re.compile(r"\d{1,18}", re.ASCII)


def _content_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise ProblemException(400, f"Content-Length {text[:40]!r} is no length")
    return int(text)
