"""Another Cordwood, by its `POST /api/v1/logs`.

    outputs:
      centre: {type: cordwood, url: "https://logs.example.com", token: "${CENTRE_TOKEN}"}

Each request has the `Idempotency-Key` of its events: sent again within 24 hours, they are stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import zstandard
from pydantic import Field, SecretStr

from ..plugins import (
    NOT_JSON,
    Duration,
    HttpAddress,
    Lot,
    Need,
    Output,
    OutputConfig,
    RetryableError,
    duration_ns,
    hookimpl,
    http_send,
    in_worker,
    url_reachable,
)
from .rendering import ndjson


class CordwoodConfig(OutputConfig):
    """Settings of the output cordwood."""

    url: HttpAddress
    """Address of the other one, such as `https://logs.example.com`."""
    token: SecretStr | None = None
    """A token of the other one that may ingest; it says which project the events go to."""
    timeout: Duration = "30s"
    """How long to wait for the whole answer."""
    max_bytes: int = Field(8_000_000, ge=10_000, le=32_000_000)
    """Bytes of a request, about, before compression; the other one's limit `body_size` must be larger."""


class _Answer(msgspec.Struct):
    accepted: int


class Cordwood(Output[CordwoodConfig]):
    """Another Cordwood: its HTTP API, each event stored once."""

    def needs(self) -> Sequence[Need]:
        """The host that it sends to."""
        return [url_reachable("url", self.config.url)]

    async def write(self, lot: Lot) -> None:
        """Post once.

        :raises RetryableError: no answer in time, or one that no Cordwood gives; 408, 425, 429, 5xx
        :raises RejectedError: 400, 413, 422
        :raises FatalError: any other status
        """
        body = await in_worker(_packed, lot)
        headers = {
            "content-type": "application/x-ndjson",
            "content-encoding": "zstd",
            "idempotency-key": lot.key,
            "user-agent": "Cordwood",
        }
        if self.config.token is not None:
            headers["authorization"] = f"Bearer {self.config.token.get_secret_value()}"
        url = SecretStr(f"{self.config.url.get_secret_value().rstrip('/')}/api/v1/logs")
        answer = await http_send(url, body, headers, seconds=duration_ns(self.config.timeout) / 1e9)
        answer.taken_events()
        try:
            msgspec.json.decode(answer.body, type=_Answer)
        except NOT_JSON:
            raise RetryableError(f"{answer.words}, but not as Cordwood answers: check the url") from None


def _packed(lot: Lot) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(ndjson(lot.batch))


@hookimpl
def cordwood_plugins() -> list[type[Output[Any]]]:
    """The output of this module."""
    return [Cordwood]
