"""An HTTP request to any address: chat systems, ticket systems, your own service.

    hook: {type: webhook, url: "https://example.com/alerts", secret: "${WEBHOOK_SECRET}"}

The body is the notification as JSON, or what the Jinja2 template `body` makes of it. Every request has the header
`X-Cordwood-Delivery`: the same value means the same message (it may come twice after a crash). With a `secret` it has
`X-Cordwood-Signature: t=<seconds since the epoch>,v1=<hex>`, where v1 is HMAC-SHA256 with the secret over `<t>.<body>`.
To verify: compute it over the body's bytes as received, compare in constant time, refuse a `t` older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    Duration,
    HttpAddress,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    duration_ns,
    fields,
    hookimpl,
    http_send,
    in_worker,
    now_ns,
    template,
    url_reachable,
)

OPTIONAL = ("text", "acknowledge", "words")  # left out of the default body where they are empty
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value.get_secret_value()):
            raise ValueError(f"the value of {name} has a character that no header may have, such as a line break")
    return headers


class WebhookConfig(NotifierConfig):
    """Settings of the webhook notifier."""

    url: HttpAddress
    """Where to send it, http or https. Shown nowhere: addresses of chat systems are passwords."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    """The request's method."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = Field(default_factory=dict)
    """Further headers, such as `Authorization`."""
    body: str | None = None
    """A Jinja2 template of the body. It knows `event`, `title`, `severity`, `detector`, `group`, `values`, `samples`,
    `link`, `acknowledge`, `incident_id`, `delivery_id`, `opened_at`, `resolved_at`, `project`,
    `words` (what `template` makes), and the filter `json`. Not set: all of that as JSON."""
    secret: SecretStr | None = None
    """Key of the signature; not set: no signature."""
    timeout: Duration = "10s"
    """How long to wait for the whole answer."""


class Webhook(Notifier[WebhookConfig]):
    """An HTTP request with the notification as JSON, or as a template makes it."""

    def __init__(self, config: WebhookConfig, clock: Callable[[], int] = now_ns) -> None:
        """:raises ConfigError: the template is wrong"""
        super().__init__(config)
        self._clock = clock
        self._template = None if config.body is None else template(config.body, "body")

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Send it once; answers the status, such as `200 OK`.

        :raises RetryableError: no answer in time, or 408, 425, 429, 5xx
        :raises RejectedError: any other status, or the template fails on this notification
        """
        body = await in_worker(self._body, notification)
        answer = await http_send(
            self.config.url,
            body,
            self._request_headers(notification, body),
            seconds=duration_ns(self.config.timeout) / 1e9,
            method=self.config.method,
            at_ns=self._clock(),
        )
        return answer.taken()

    def _body(self, notification: Notification) -> bytes:
        if self._template is not None:
            return self._template(notification).encode("utf-8", "replace")
        values = fields(notification)
        return msgspec.json.encode({name: value for name, value in values.items() if value or name not in OPTIONAL})

    def preview(self, notification: Notification) -> str:
        """The body."""
        return self._body(notification).decode()

    def _request_headers(self, notification: Notification, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json", "user-agent": "Cordwood"}
        headers |= {name.lower(): value.get_secret_value() for name, value in self.config.headers.items()}
        headers["x-cordwood-delivery"] = notification.delivery_id
        if self.config.secret is not None:
            secret = self.config.secret.get_secret_value()
            headers["x-cordwood-signature"] = signature(secret, self._clock() // 1_000_000_000, body)
        return headers


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Cordwood-Signature`; `timestamp` in seconds since the epoch.

    >>> signature("s3cret", 1700000000, b"{}")[:24]
    't=1700000000,v1=97926816'
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Webhook]
