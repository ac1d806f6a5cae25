"""Logs by Datadog's intake: what its agent, its clients, Vector, Fluent Bit and Lambda forwarders send.

    curl -H 'DD-API-KEY: TOKEN' -H 'Content-Type: application/json' localhost:8080/api/v2/logs \\
      -d '[{"message": "disk full", "status": "error", "service": "shop", "hostname": "web-1", "ddtags": "env:prod"}]'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from ..plugins import (
    STANDARD,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Outlet,
    PluginConfig,
    adopt,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
)
from .http import read_body

NAMES: Final = {
    "\ufffdstatus": "severity",
    "status": "severity",
    "dd.trace_id": "trace_id",
    "dd.span_id": "span_id",
    "dd.service": "service",
    "ddtags.service": "service",
    "ddtags.host": "host",
}
SYSLOG: Final = {
    "0": "emergency", "1": "alert", "2": "critical", "3": "error", "4": "warning", "5": "notice", "6": "info",
    "7": "debug", "ok": "info",
}  # fmt: skip
"""A status that is a number is syslog's severity."""
MAX_TAGS: Final = 200
"""Names of tags in a request that become fields: each is a column of all its events."""
_NOTHING = (b"", b"{}", b"[]", b"[{}]")
"""Bodies by which the agent sees whether somebody is there."""
_UTC = ZoneInfo("UTC")


class DatadogConfig(PluginConfig):
    """Settings of the Datadog endpoint."""


class Datadog(HttpSource[DatadogConfig]):
    """Take events in by `POST /api/v2/logs` and `/v1/input`: a JSON array, objects, lines of JSON, or text lines.

    `status` becomes the severity, `hostname` the host; of `ddtags` each `name:value` becomes a field, what is no such
    pair stays. `?ddsource=`, `?ddtags=`, `?hostname=` and `?service=` stand for what an event lacks. The key may be
    part of the path, as in `/v1/input/KEY`, or of the query.
    """

    routes: ClassVar = [
        ("POST", "/api/v2/logs"),
        ("POST", "/v1/input"),
        ("POST", "/v1/input/{key}"),
        ("GET", "/api/v1/validate"),
    ]

    def __init__(self, config: DatadogConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()

    def token(self, path_params: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        """The key in the path or the query."""
        return path_params.get("key") or query.get("dd-api-key") or query.get("api_key")

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """`{"errors": [{"status", "title", "detail"}]}`; a key that is none is forbidden."""
        status = 403 if status == 401 else status
        title = "Forbidden" if status == 403 else "Bad Request" if status < 429 else "Try again"
        error = {"status": str(status), "title": title, "detail": detail}
        return HttpResponse(status, msgspec.json.encode({"errors": [error]}))

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer `{}` after the commit: 202, and 200 under the older path.

        :raises RejectedError: the body is JSON that does not parse
        :raises RetryableError: the store does not answer
        """
        if request.method == "GET":
            return HttpResponse(200, b'{"valid":true}')
        if request.body.strip() not in _NOTHING:
            media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            batch = await in_worker(_read, request.body, media, request.query, now_ns(), limiter=self._threads)
            if len(batch):
                await (await outlet.send(batch, received=len(request.body))).committed()
        return HttpResponse(202 if request.path.startswith("/api") else 200, b"{}")


def _read(body: bytes, media: str, query: Mapping[str, str], observed: int) -> Batch:
    batch = read_body(body, media, observed, _UTC)
    frame = batch.frame
    for name in ("ddsource", "ddtags"):
        if value := query.get(name):
            old = frame[name].cast(pl.String).fill_null(value) if name in frame.columns else pl.lit(value)
            frame = frame.with_columns(old.alias(name))
    frame = _tags(_status(frame))
    batch = adopt(Batch.of(frame), NAMES)
    return batch.with_default(host=query.get("hostname"), service=query.get("service"))


def _status(frame: pl.DataFrame) -> pl.DataFrame:
    """Syslog's numbers and `ok` by a name that only `adopt` sees: a status may as well be one of HTTP."""
    if "status" not in frame.columns:
        return frame
    words = frame["status"].cast(pl.String).str.to_lowercase()
    known = words.is_in(list(SYSLOG)) & frame["severity"].is_null()
    if not known.any():
        return frame
    said = words.replace_strict(SYSLOG, default=None, return_dtype=pl.String)
    return frame.with_columns(said.alias("\ufffdstatus"), frame["status"].set(known, None).alias("status"))


def _tags(frame: pl.DataFrame) -> pl.DataFrame:
    """A field for each `name:value`; each text is taken apart once, for few differ.

    What an event has itself counts; the tag is then `ddtags.name`, as is one with a standard field's name.
    """
    if frame.schema.get("ddtags") != pl.String:
        return frame
    tags = frame["ddtags"]
    texts = tags.unique(maintain_order=True).drop_nulls().to_list()
    names: dict[str, None] = {}
    apart = [split_tags(text, names) for text in texts]

    def column(values: list[str | None]) -> pl.Series:
        return tags.replace_strict(texts, values, default=None, return_dtype=pl.String)

    columns = {"ddtags": column([rest or None for _, rest in apart])}
    for name in names:
        value = column([found.get(name) for found, _ in apart])
        if name not in STANDARD:
            mine = frame[name] if frame.schema.get(name) == pl.String else None
            taken = frame[name].is_not_null() if name in frame.columns else value.is_null()
            own = value.set(taken, None)
            columns[name if mine is not None or name not in frame.columns else f"{name}#text"] = (
                own if mine is None else mine.fill_null(own)
            )
            value = value.set(~taken, None)
        if value.null_count() < frame.height:
            columns[f"ddtags.{name}"] = value
    return frame.with_columns(value.alias(name) for name, value in columns.items())


def split_tags(text: str, names: dict[str, None]) -> tuple[dict[str, str], str]:
    """The pairs of `ddtags`, and what is none; of a name that comes twice the values are joined.

    >>> split_tags("env:prod, url:http://x,beta,env:eu", {})
    ({'env': 'prod,eu', 'url': 'http://x'}, 'beta')

    :param names: those that the events have, which are bounded; new ones are added
    """
    found: dict[str, str] = {}
    rest = []
    for tag in text.split(","):
        name, colon, value = tag.strip().partition(":")
        if not (name and colon and value) or (name not in names and len(names) >= MAX_TAGS):
            rest.append(tag.strip())
        else:
            names[name] = None
            found[name] = f"{found[name]},{value}" if name in found else value
    return found, ",".join(tag for tag in rest if tag)


@hookimpl
def cordwood_plugins() -> list[type[Datadog]]:
    """Datadog's endpoint."""
    return [Datadog]
