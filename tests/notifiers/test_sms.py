"""Text messages against a real HTTP server that answers as Twilio does."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from cordwood.notifiers.sms import MAX_TEXT, Sms, SmsConfig
from cordwood.plugins import FatalError, Notification, RejectedError, RetryableError
from pydantic import ValidationError

pytestmark = [
    pytest.mark.anyio,
    # Twilio's client, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SETTINGS = {"account_sid": "AC1", "auth_token": "hush-hush", "sender": "+15005550006", "to": "+491701234567"}


def sms(receiver: Any, **config: Any) -> Sms:
    return Sms(SmsConfig(**SETTINGS | {"api_url": receiver.url} | config))


def answers(receiver: Any, status: int, body: dict[str, Any]) -> None:
    receiver.status, receiver.body = status, json.dumps(body).encode()
    receiver.headers = {"Content-Type": "application/json"}


async def test_the_message(receiver: Any, notification: Notification, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers(receiver, 201, {"sid": "SM1", "status": "queued"})
    assert await sms(receiver).notify(replace(notification, title="long " * 200)) == "queued SM1"
    ((method, path, _, body),) = receiver.requests
    assert (method, path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert (form["To"], form["From"]) == (SETTINGS["to"], SETTINGS["sender"])
    assert len(form["Body"]) <= MAX_TEXT
    assert form["Body"].startswith("[ERROR] long long")
    assert form["Body"].endswith(notification.link)
    assert "hush" not in caplog.text
    assert SETTINGS["to"] not in caplog.text


async def test_a_messaging_service(receiver: Any, notification: Notification) -> None:
    answers(receiver, 201, {"sid": "SM1", "status": "accepted"})
    await sms(receiver, sender="MG1").notify(notification)
    form = parse_qs(receiver.requests[0][3].decode())
    assert form["MessagingServiceSid"] == ["MG1"]
    assert "From" not in form


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21211, RejectedError),
        (404, 20404, RejectedError),
        (401, 20003, FatalError),
        (429, 20429, RetryableError),
        (500, 20500, RetryableError),
        (503, 20503, RetryableError),
    ],
)
async def test_errors(receiver: Any, notification: Notification, status: int, code: int, kind: type[Exception]) -> None:
    answers(receiver, status, {"code": code, "message": "hush-hush", "status": status})
    with pytest.raises(kind, match=f"{status}, code {code}") as caught:
        await sms(receiver).notify(notification)
    assert "hush" not in str(caught.value)


async def test_no_answer(receiver: Any, notification: Notification) -> None:
    receiver.delay = 2
    with pytest.raises(RetryableError, match="no answer"):
        await sms(receiver, timeout="300ms").notify(notification)
    with pytest.raises(RetryableError, match="no connection"):
        await sms(receiver, api_url="http://127.0.0.1:1").notify(notification)


@pytest.mark.parametrize("number", ["", "0170123", "+49 170", "+1", "+" + "9" * 20, "+49170123456x"])
def test_numbers_that_are_none(number: str) -> None:
    with pytest.raises(ValidationError):
        SmsConfig(**SETTINGS | {"to": number})
