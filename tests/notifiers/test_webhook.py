"""The webhook against a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.notifiers.webhook import Webhook, WebhookConfig, signature
from cordwood.plugins import ConfigError, Notification, RejectedError, RetryableError
from cordwood.plugins.conformance import notifier_contract
from pydantic import ValidationError

pytestmark = pytest.mark.anyio
SECRET = "hush-hush"

test_contract = notifier_contract(Webhook, lambda url: {"url": url, "secret": SECRET})


def webhook(receiver: Any, path: str = "/x", **config: Any) -> Webhook:
    return Webhook(WebhookConfig(url=receiver.url + path, **config), clock=lambda: 1_700_000_000_000_000_000)


async def test_the_default_body(receiver: Any, notification: Notification) -> None:
    assert await webhook(receiver).notify(notification) == "200 OK"
    ((method, path, headers, body),) = receiver.requests
    assert (method, path, headers["content-type"]) == ("POST", "/x", "application/json")
    assert headers["x-cordwood-delivery"] == notification.delivery_id
    assert "x-cordwood-signature" not in headers
    assert json.loads(body) == {
        "delivery_id": notification.delivery_id,
        "event": "opened",
        "incident_id": 7,
        "detector": "errors",
        "title": notification.title,
        "severity": "ERROR",
        "group": {"service": "pay"},
        "values": {"n": 62},
        "opened_at": notification.opened_at,
        "resolved_at": None,
        "link": notification.link,
        "samples": [{"message": "card declined 1", "severity": "ERROR"}],
        "project": "default",
    }


async def test_method_headers_and_template(receiver: Any, notification: Notification) -> None:
    text = '{"text": {{ title | json }}, "n": {{ values.n }}, "s": {{ group["service"] | json }}, '
    text += '"l": {{ samples | length }}}'
    hook = webhook(receiver, method="PUT", headers={"Authorization": "Bearer t", "Content-Type": "text/x"}, body=text)
    await hook.notify(notification)
    ((method, _, headers, body),) = receiver.requests
    assert (method, headers["authorization"], headers["content-type"]) == ("PUT", "Bearer t", "text/x")
    assert json.loads(body) == {"text": notification.title, "n": 62, "s": "pay", "l": 1}


async def test_the_signature_can_be_verified(receiver: Any, notification: Notification) -> None:
    await webhook(receiver, secret=SECRET).notify(notification)
    ((_, _, headers, body),) = receiver.requests
    timestamp, digest = (part.partition("=")[2] for part in headers["x-cordwood-signature"].split(","))
    assert timestamp == "1700000000"
    expected = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, expected)
    assert signature(SECRET, 1_700_000_000, body + b" ") != headers["x-cordwood-signature"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_taken(receiver: Any, notification: Notification, status: int) -> None:
    receiver.status = status
    assert (await webhook(receiver).notify(notification)).startswith(str(status))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_to_be_tried_again(receiver: Any, notification: Notification, status: int) -> None:
    receiver.status = status
    with pytest.raises(RetryableError, match=str(status)) as caught:
        await webhook(receiver).notify(notification)
    assert caught.value.after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
async def test_refused_for_good(receiver: Any, notification: Notification, status: int) -> None:
    receiver.status = status
    with pytest.raises(RejectedError, match=str(status)):
        await webhook(receiver).notify(notification)


@pytest.mark.parametrize(
    ("value", "after"),
    [("30", 30.0), ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0), ("Tue, 14 Nov 2000 22:14:20 GMT", 0.0), ("soon", None)],
    ids=["seconds", "date", "past", "nonsense"],
)
async def test_retry_after(receiver: Any, notification: Notification, value: str, after: float | None) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": value}
    with pytest.raises(RetryableError) as caught:
        await webhook(receiver).notify(notification)
    assert caught.value.after == after


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(receiver: Any, notification: Notification, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/elsewhere"}
    with pytest.raises(RejectedError, match="redirect"):
        await webhook(receiver).notify(notification)
    assert [path for _, path, _, _ in receiver.requests] == ["/x"]


@pytest.mark.parametrize("how", ["delay", "drip"])
async def test_an_answer_that_takes_too_long(receiver: Any, notification: Notification, how: str) -> None:
    receiver.delay = 2.0 if how == "delay" else 0.0
    receiver.body, receiver.drip = b"x" * 50, how == "drip"
    with anyio.fail_after(1.5), pytest.raises(RetryableError, match=r"no answer within 0\.5 s"):
        await webhook(receiver, timeout="500ms").notify(notification)


async def test_a_huge_answer_is_not_read(receiver: Any, notification: Notification) -> None:
    receiver.body = b"x" * 50_000_000
    assert await webhook(receiver).notify(notification) == "200 OK"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/hush-hush", "http://hush-hush.invalid/", "https://127.0.0.1:1/hush-hush"]
)
async def test_nobody_there(notification: Notification, address: str) -> None:
    with pytest.raises(RetryableError) as caught:
        await Webhook(WebhookConfig(url=address)).notify(notification)
    assert SECRET not in str(caught.value)


async def test_cancelled_at_once(receiver: Any, notification: Notification) -> None:
    receiver.delay = 2.0
    with anyio.move_on_after(0.2) as scope, anyio.fail_after(1):
        await webhook(receiver).notify(notification)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ group.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ group.update({'a': 1}) }}{{ group.a }}",
        "{{ samples.append(1) }}",
        "{% for i in range(10000000) %}{% endfor %}",
        "{{ unknown }}",
        "{{ 1 / 0 }}",
        "{{ 'x' * 2000000 }}",
    ],
    ids=["mro", "globals", "os", "change", "append", "range", "unknown", "zero", "huge"],
)
async def test_the_template_reaches_nothing_else(receiver: Any, notification: Notification, template: str) -> None:
    with pytest.raises(RejectedError):
        await webhook(receiver, body=template).notify(notification)
    assert receiver.requests == []
    assert notification.group == {"service": "pay"}


def test_a_template_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="line 2"):
        Webhook(WebhookConfig(url="http://host/", body="{{ title }}\n{% if %}"))


@pytest.mark.parametrize(
    "config",
    [
        {"url": "ftp://hush-hush/"},
        {"url": "hush-hush"},
        {"url": "http://"},
        {"url": "http://host:port/hush-hush"},
        {"headers": {"X": "hush-hush\r\nY: 1"}},
        {"headers": {"X Y": "1"}},
        {"headers": {"X": "hush-hush€"}},
        {"timeout": "long"},
        {"method": "GET"},
    ],
    ids=str,
)
def test_settings_that_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        WebhookConfig(**({"url": "http://host/"} | config))
    assert SECRET not in " ".join(error["msg"] for error in caught.value.errors())


async def test_secrets_show_nowhere(
    receiver: Any, notification: Notification, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.status = 500
    hook = webhook(receiver, "/hush-hush", secret=SECRET, headers={"Authorization": SECRET})
    with pytest.raises(RetryableError) as caught:
        await hook.notify(replace(notification))
    ours = [record.getMessage() for record in caplog.records]
    assert SECRET not in " ".join([*ours, str(caught.value), repr(hook.config), hook.config.model_dump_json()])


def test_the_documented_check_of_a_signature() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alerting.md").read_text()
    scope: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], scope)
    header = signature(SECRET, int(time.time()), b"body")
    assert scope["is_genuine"](SECRET, header, b"body")
    assert not scope["is_genuine"](SECRET, header, b"Body")
    assert not scope["is_genuine"]("other", header, b"body")
    assert not scope["is_genuine"](SECRET, signature(SECRET, int(time.time()) - 301, b"body"), b"body")
