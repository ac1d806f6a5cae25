"""One HTTP request to somebody else's service: bounded, without redirects, and no address in any message."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from urllib.request import getproxies, proxy_bypass

import anyio
import msgspec
from pydantic import AfterValidator, SecretStr

from .durations import duration_ns
from .errors import FatalError, RejectedError, RetryableError
from .outbound import permitted
from .times import now_ns

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_ANSWER: Final = 65_536  # bytes of an answer that are read
TEMPORARY: Final = frozenset({408, 425, 429, *range(500, 600)})
OF_EVENTS: Final = frozenset({400, 413, 422})  # what the events are is refused, not who sends them or where to


def _http_address(address: SecretStr) -> SecretStr:
    import httpx  # slow to import, and a node may send nothing

    # The address is left out of the message: chat systems' addresses are passwords.
    try:
        url = httpx.URL(address.get_secret_value())
    except httpx.InvalidURL:
        raise ValueError("is no address; write https://host/path") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must begin with http:// or https:// and name a host")
    return address


HttpAddress: TypeAlias = Annotated[SecretStr, AfterValidator(_http_address)]
"""A setting: an address of http or https, which may be a secret and is shown nowhere."""


@dataclass(frozen=True)
class HttpAnswer:
    """What the other side said."""

    status: int
    words: str
    """Status and reason, such as `200 OK`."""
    body: bytes
    """At most 64 KiB of it."""
    retry_after: float | None
    """Seconds that the header of this name asks for."""

    def taken(self) -> str:
        """The words, if it took the request.

        :raises RetryableError: 408, 425, 429, 5xx
        :raises RejectedError: any other status
        """
        if 200 <= self.status < 300:
            return self.words
        if self.status in TEMPORARY:
            raise RetryableError(self.words, after=self.retry_after)
        if 300 <= self.status < 400:
            raise RejectedError(f"{self.words}: redirects are not followed; set the address it points to")
        raise RejectedError(self.words)

    def taken_events(self) -> None:
        """Return if it took the events of the request.

        :raises RetryableError: 408, 425, 429, 5xx
        :raises RejectedError: 400, 413, 422: it does not take these events
        :raises FatalError: any other status: it takes none, until an operator acts
        """
        try:
            self.taken()
        except RejectedError as why:
            if self.status in OF_EVENTS:
                raise
            raise FatalError(str(why)) from why


async def http_send(
    url: SecretStr,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    method: str = "POST",
    at_ns: int | None = None,
) -> HttpAnswer:
    """Send it once.

    Redirects are not followed: the address may be a secret, and the body may not be meant for another host. Link-local
    addresses are refused, and with `CORDWOOD_PRIVATE_ADDRESSES=refuse` all that are not public (`outbound.permitted`).

    :param at_ns: the time a date in Retry-After is measured from; None: now.
    :raises RetryableError: no connection, or no whole answer within `seconds`
    :raises RejectedError: nothing may be sent to the address
    """
    import httpx

    hide_addresses()
    try:
        with anyio.fail_after(seconds):
            async with (
                httpx.AsyncClient(verify=_trusted(*_authorities()), timeout=seconds, follow_redirects=False) as client,
                _answering(client, method, httpx.URL(url.get_secret_value()), body, headers) as response,
            ):
                said = await _read(response)
    except (TimeoutError, httpx.TimeoutException):
        raise RetryableError(f"no answer within {seconds:g} s") from None
    except httpx.HTTPError as why:
        # The message of the error is left out: it may hold the address.
        raise RetryableError(f"no connection: {type(why).__name__}") from None
    return HttpAnswer(
        response.status_code,
        f"{response.status_code} {response.reason_phrase}".strip()[:100],
        said,
        _retry_after(response.headers.get("retry-after", ""), now_ns() if at_ns is None else at_ns),
    )


def _authorities() -> tuple[str | None, str | None]:
    """Where the environment says that certificates to trust are."""
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@lru_cache(maxsize=4)
def _trusted(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """What TLS trusts, as httpx reads it from there: read once, since it takes 30 ms in which nothing else is done."""
    import httpx

    return httpx.create_ssl_context()


@asynccontextmanager
async def _answering(
    client: httpx.AsyncClient, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """The answer of the first of the host's addresses that takes a connection."""
    import httpx

    proxied = any(url.scheme == scheme or scheme == "all" for scheme in getproxies() if scheme != "no")
    if proxied and not proxy_bypass(url.host):  # the proxy looks names up, and says who may go where
        async with client.stream(method, url, content=body, headers=dict(headers)) as response:
            yield response
        return
    port = url.port or (443 if url.scheme == "https" else 80)
    *others, last = await permitted(url.host, port)
    named = dict(headers) | {"host": url.netloc.decode()}
    for address in (*others, last):
        request = client.build_request(
            method, url.copy_with(host=address), content=body, headers=named, extensions={"sni_hostname": url.host}
        )
        try:
            response = await client.send(request, stream=True)
        except httpx.ConnectError:
            if address == last:
                raise
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return


async def post_json(url: SecretStr, value: Any, *, within: str, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """Post a value as JSON once; see `http_send`.

    :param within: how long to wait for the whole answer, a `Duration`.
    """
    plain = {"content-type": "application/json", "user-agent": "Cordwood"}
    return await http_send(
        url, msgspec.json.encode(value), plain | dict(headers or {}), seconds=duration_ns(within) / 1e9
    )


def hide_addresses() -> None:
    """Keep the addresses that httpx asks out of the log; calling it again changes nothing."""
    logging.getLogger("httpx").addFilter(_without_addresses)


async def _read(response: httpx.Response) -> bytes:
    """The start of the body; reading it lets the other side finish."""
    said = b""
    async for chunk in response.aiter_raw():
        said += chunk
        if len(said) > MAX_ANSWER:
            break
    return said[:MAX_ANSWER]


def _without_addresses(record: logging.LogRecord) -> bool:
    """Drop the line that httpx logs for each request: it has the address, which may be a secret."""
    return "HTTP Request" not in str(record.msg)


def _retry_after(value: str, at_ns: int) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date.

    >>> _retry_after("30", 0), _retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0), _retry_after("soon", 0)
    (30.0, 60.0, None)
    """
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - at_ns / 1e9)
    except (ValueError, TypeError, OverflowError):
        return None
