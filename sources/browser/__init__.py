"""Pages in browsers: what goes wrong in them, their console, what they say themselves, by a script of 3 KB.

    <script src="https://logs.example/cordwood.js" data-key="cw_…" data-service="shop"></script>

The key is a token with the scope `ingest` and the page's origin: `cordwood token create shop --origin https://shop.example`.
The script is made of `cordwood.js`, which says what it does, by `npm run browser` in `web/ui`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from ...plugins import (
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Outlet,
    PluginConfig,
    RejectedError,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
)

SCRIPT: Final = Path(__file__).parent / "cordwood.min.js"
SEND, LOAD = "/api/v1/browser", "/cordwood.js"
ON_TIME_MS: Final = 5_000
"""A clock that is this near is right: the rest is the network's time."""
_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
_CLOCK = re.compile(r"\d{12,14}", re.ASCII)
_AGENT = "user_agent.original"
_UTC = ZoneInfo("UTC")


class BrowserConfig(PluginConfig):
    """Settings of the browser endpoint."""

    correct_clocks: bool = True
    """Whether events of a device whose clock is wrong by more than five seconds get the right time; how far it was
    ahead is their `browser.clock_ahead_ms`."""


class Browser(HttpSource[BrowserConfig]):
    """Take in what the script `/cordwood.js` sends from pages: errors, the console's lines, and events of their own.

    It posts lines of JSON to `/api/v1/browser?key=TOKEN&id=BATCH&at=MILLISECONDS`: the key is in the address, for a
    beacon has no headers; a batch is stored once, however often it comes within 24 hours; `at` is the device's clock.
    """

    routes: ClassVar = [("GET", LOAD), ("HEAD", LOAD), ("POST", SEND)]

    def __init__(self, config: BrowserConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()

    def token(self, path_params: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        """The key in the address."""
        return query.get("key")

    def public(self, path: str) -> HttpResponse | None:
        """The script, which any page may load."""
        return self._script if path == LOAD else None

    @cached_property
    def _script(self) -> HttpResponse:
        body = SCRIPT.read_bytes()
        headers = {
            "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            "cache-control": "public, max-age=3600",
            "cross-origin-resource-policy": "cross-origin",
            "access-control-allow-origin": "*",
        }
        return HttpResponse(200, body, "text/javascript; charset=utf-8", headers)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer `{"accepted": n}` after the commit.

        :raises RejectedError: the id is none
        :raises RetryableError: the store does not answer
        """
        name = request.query.get("id")
        if name is not None and not _ID.fullmatch(name):
            raise RejectedError("id must have 1 to 100 letters, digits, dots or dashes")
        at = request.query.get("at", "")
        sent_ms = int(at) if self.config.correct_clocks and _CLOCK.fullmatch(at) else None
        agent = request.headers.get("user-agent", "")[:1000]
        batch = await in_worker(read_batch, request.body, agent, sent_ms, now_ns(), limiter=self._threads)
        accepted = 0
        if len(batch):
            key = f"browser {name}" if name else None
            receipt = await outlet.send(batch, key=key, received=len(request.body))
            accepted = (await receipt.committed()).accepted
        return HttpResponse(200, msgspec.json.encode({"accepted": accepted}))


def read_batch(body: bytes, agent: str, sent_ms: int | None, observed: int) -> Batch:
    """The events, with the browser's name of itself and, where the device's clock is wrong, the right time."""
    batch = read_ndjson(body, observed, zone=_UTC)
    frame = batch.frame
    own = frame.schema.get(_AGENT)
    if agent and own in (None, pl.String):
        frame = frame.with_columns(pl.lit(agent).alias(_AGENT) if own is None else pl.col(_AGENT).fill_null(agent))
    ahead_ms = 0 if sent_ms is None else sent_ms - observed // 1_000_000
    if abs(ahead_ms) > ON_TIME_MS:
        told = frame["timestamp"].ne_missing(frame["observed_timestamp"])  # others have the time of arrival
        right = pl.col("timestamp").dt.offset_by(f"{-ahead_ms}ms")
        frame = frame.with_columns(
            pl.when(told).then(right).otherwise("timestamp").alias("timestamp"),
            pl.lit(ahead_ms, dtype=pl.Int64).alias("browser.clock_ahead_ms"),
        )
    return Batch.of(frame)


@hookimpl
def cordwood_plugins() -> list[type[Browser]]:
    """The endpoint of pages."""
    return [Browser]
