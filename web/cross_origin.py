"""Pages of other servers whose scripts send events (CORS): those that a token names, and on the sources' routes alone.

What they show is a token in a header or the address, never a cookie, so no answer allows credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .asgi import Scope, Send, answer
from .auth.gate import Gate
from .problems import ProblemException

_NAMES: Final = re.compile(r"[\w, -]{0,1000}", re.ASCII)
_FOR_S: Final = 600  # until a browser asks again
PAGE: Final = "cordwood.page"
"""Where the scope has the origin whose scripts may read the answer."""
PAGE_HEADERS: Final = (b"access-control-allow-origin", b"access-control-expose-headers", b"vary")
"""What `page_headers` may set."""


async def note_page(gate: Gate, scope: Scope, headers: Mapping[str, str]) -> None:
    """Let the page read the answer, whatever it will be, if a token names it."""
    page = headers.get("origin")
    if page is not None and await gate.knows_page(page):
        scope[PAGE] = page


def page_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """What tells a browser that the page may read the answer."""
    page = scope.get(PAGE)
    if page is None:
        return []
    return list(zip(PAGE_HEADERS, (page.encode("latin-1"), b"retry-after", b"origin"), strict=True))


def asks_for(scope: Scope, headers: Mapping[str, str]) -> str | None:
    """The method that a browser asks for before it sends the request itself; None: it does not ask."""
    return headers.get("access-control-request-method") if scope["method"] == "OPTIONS" else None


async def allow(scope: Scope, send: Send, headers: Mapping[str, str], method: str) -> None:
    """Answer a browser that asks before it sends.

    :raises ProblemException: 403, no token names the page; 400, the headers are none
    """
    if PAGE not in scope:
        raise ProblemException(403, f"no token is for pages of {headers.get('origin', 'none')[:100]}")
    wanted = headers.get("access-control-request-headers", "")
    if not _NAMES.fullmatch(wanted):
        raise ProblemException(400, "Access-Control-Request-Headers holds no names of headers")
    told = {"access-control-allow-methods": method, "access-control-max-age": str(_FOR_S)}
    await answer(scope, send, 204, b"", "", told | ({"access-control-allow-headers": wanted} if wanted else {}))
