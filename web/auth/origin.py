"""Host and Origin: which requests were meant for this server, and which a stranger's page made a browser send.

While nobody has an account, being on this machine is the only proof of right, and any page in a browser on this
machine could use it: by a form or a fetch to `http://localhost:8080` (its Origin tells), or by a name of its own that
it points to 127.0.0.1 once the page is loaded (DNS rebinding: the Host tells).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a page or a server, in lower case and with the default port filled in."""

    scheme: str
    host: str
    port: int


def origin_of(text: str) -> Origin | None:
    """The origin that the text writes, None for `null` and for what is no origin.

    >>> origin_of("https://Logs.example")
    Origin(scheme='https', host='logs.example', port=443)
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in text:
        return None
    return Origin(parts.scheme, parts.hostname.rstrip("."), _PORTS[parts.scheme] if port is None else port)


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own.

    Only the name `localhost` counts: what others resolve to is up to whoever answers for them.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("localhost.evil.example")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=256)
def is_own_host(host_header: str, bound: str) -> bool:
    """Whether a Host header names this machine: loopback, or the address that was bound, with any port.

    The port is not compared: through an SSH tunnel it is another, and a stranger's page cannot send such a Host.
    """
    origin = origin_of(f"http://{host_header}")
    return origin is not None and (is_loopback(origin.host) or origin.host == bound.strip("[]").lower())


def is_own_origin(origin_header: str, scheme: str, host_header: str, *, behind_proxy: bool) -> bool:
    """Whether the page that sent the request came from this server.

    `behind_proxy`: a proxy may have taken the TLS off: a page of `https://` is then ours although `http` arrives here.
    """
    page = origin_of(origin_header)
    own = {origin_of(f"{scheme}://{host_header}")}
    if behind_proxy:
        own.add(origin_of(f"https://{host_header}"))
    return page is not None and page in own
