"""The UI's files: `make ui` builds them into the folder `static`, beside this module.

Files under `/assets/` have a hash in their names and never change; every other path that is no file is a page of the
UI, which its own router shows, so it gets `index.html`.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio.to_thread

from .asgi import Scope, Send, answer
from .problems import ProblemException

STATIC: Final = Path(__file__).parent / "static"
# The system's own table may say anything; what browsers insist on is said here.
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Cordwood</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto">
<h1>Cordwood runs</h1>
<p>Its web UI is not built here: run <code>make ui</code> and load this page again.</p>
<p>The API answers: <a href="/schema">/schema</a>, <a href="/readyz">/readyz</a>.</p>
"""


class Pages:
    """Answers GET and HEAD for everything that is neither API nor a source's."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, send: Send, headers: Mapping[str, str]) -> None:
        """Send a file, or the page.

        :raises ProblemException: 404, no such asset, or a path that tries to leave the folder; 405
        """
        path = str(scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            raise ProblemException(404, f"nothing takes {scope['method'][:20]} at {path[:100]}")
        if ".." in path.split("/") or "\\" in path:
            raise ProblemException(404, "there is no such page")
        found = await anyio.to_thread.run_sync(self._read, path)
        if found is None:
            await answer(scope, send, 200, _NOT_BUILT, "text/html; charset=utf-8", {"cache-control": "no-store"})
            return
        body, media_type = found
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        cached = {"etag": etag, "cache-control": _FOREVER if path.startswith("/assets/") else "no-cache"}
        if etag in headers.get("if-none-match", ""):
            await answer(scope, send, 304, b"", media_type, cached)
        else:
            await answer(scope, send, 200, body, media_type, cached)

    def _read(self, path: str) -> tuple[bytes, str] | None:
        """The bytes and the type of the file for a path, of `index.html` where it is a page; None: nothing is built."""
        file = (self._folder / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            if path.startswith("/assets/"):
                raise ProblemException(404, f"there is no {path[:200]}")
            file = self._folder / "index.html"
            if not file.is_file():
                return None
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        text = kind.startswith("text/") or kind in ("application/json", "image/svg+xml")
        return file.read_bytes(), f"{kind}; charset=utf-8" if text else kind
