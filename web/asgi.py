"""The little of ASGI that is needed beside Litestar: headers of a request, and whole answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

import msgspec

from .problems import MEDIA_TYPE, to_problem

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; of a name that comes twice, the values joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


async def answer(
    scope: Scope, send: Send, status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send a whole answer; to HEAD, its headers."""
    head = {"content-type": media_type, "content-length": str(len(body)), **(headers or {})}
    if status in (204, 304):
        del head["content-length"], head["content-type"]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in head.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def answer_problem(scope: Scope, send: Send, why: Exception) -> None:
    """Send the problem for an exception."""
    problem, headers = to_problem(why)
    await answer(scope, send, problem.status, msgspec.json.encode(problem), MEDIA_TYPE, headers)
