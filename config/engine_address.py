"""The address of another query engine: `clickhouse://user:password@host:8123?cluster=logs`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEME = "clickhouse"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where ClickHouse's HTTP interface is, and who we are there.

    `cluster`: the name of the cluster whose machines read the segments together; without one, the machine asked does.
    """

    url: str
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = "default"
    cluster: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """The address that a text writes.

        :raises ValueError: it is none; what is quoted has no password
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise ValueError("is no address; write clickhouse://user:password@host:8123") from None
        if parts.scheme != SCHEME or not parts.hostname or parts.fragment:
            raise ValueError("must begin with clickhouse:// and name a host")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - {"cluster", "secure"}):
            raise ValueError(f"has the unknown option {unknown[0][:40]}; there are cluster and secure")
        secure = options.get("secure", "false").lower()
        if secure not in ("true", "false"):
            raise ValueError("has a `secure` that is neither true nor false")
        cluster = options.get("cluster", "")
        if cluster and not cluster.replace("_", "").replace("-", "").isalnum():
            raise ValueError("has a `cluster` that is no name")
        is_secure = secure == "true"
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            f"{'https' if is_secure else 'http'}://{host}:{port or (8443 if is_secure else 8123)}",
            unquote(parts.username or "default"),
            unquote(parts.password or ""),
            unquote(parts.path.strip("/")) or "default",
            cluster,
        )
