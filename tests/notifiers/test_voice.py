"""Telephone calls against a real HTTP server that answers as Twilio does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from cordwood.notifiers.voice import MAX_SAID, Voice, VoiceConfig, spoken
from cordwood.plugins import FatalError, Notification, RejectedError, RetryableError
from pydantic import ValidationError

pytestmark = [
    pytest.mark.anyio,
    # Twilio's client, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SETTINGS = {"account_sid": "AC1", "auth_token": "hush-hush", "sender": "+15005550006", "to": "+491701234567"}


def voice(receiver: Any, **config: Any) -> Voice:
    return Voice(VoiceConfig(**SETTINGS | {"api_url": receiver.url} | config))


def answers(receiver: Any, status: int, body: dict[str, Any]) -> None:
    receiver.status, receiver.body = status, json.dumps(body).encode()
    receiver.headers = {"Content-Type": "application/json"}


async def test_the_call(receiver: Any, notification: Notification) -> None:
    answers(receiver, 201, {"sid": "CA1", "status": "queued"})
    hostile = replace(notification, title='</Say><Dial>+1900</Dial> & "errors"\n' + "long " * 200)
    assert await voice(receiver, language="de-DE", repeat=3).notify(hostile) == "queued CA1"
    ((method, path, _, body),) = receiver.requests
    assert (method, path) == ("POST", "/2010-04-01/Accounts/AC1/Calls.json")
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert (form["To"], form["From"]) == (SETTINGS["to"], SETTINGS["sender"])
    said = ElementTree.fromstring(form["Twiml"])
    assert [one.tag for one in said] == ["Say", "Pause", "Say", "Pause", "Say"]
    assert {one.get("language") for one in said.iter("Say")} == {"de-DE"}
    assert said[0].text == spoken(hostile)
    assert spoken(hostile).startswith('Cordwood. ERROR /Say Dial +1900 /Dial & "errors" long long')
    assert len(spoken(hostile)) == MAX_SAID


async def test_nobody_is_called_because_it_is_over(receiver: Any, notification: Notification) -> None:
    over = replace(notification, event="resolved")
    answers(receiver, 201, {"sid": "CA1", "status": "queued"})
    assert await voice(receiver).notify(over) == "nobody is called because it is over"
    assert receiver.requests == []
    assert await voice(receiver, resolved=True).notify(over) == "queued CA1"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(400, 21211, RejectedError), (401, 20003, FatalError), (429, 20429, RetryableError), (503, 20503, RetryableError)],
)
async def test_errors(receiver: Any, notification: Notification, status: int, code: int, kind: type[Exception]) -> None:
    answers(receiver, status, {"code": code, "message": "hush-hush", "status": status})
    with pytest.raises(kind, match=f"{status}, code {code}") as caught:
        await voice(receiver).notify(notification)
    assert "hush" not in str(caught.value)


async def test_no_answer(receiver: Any, notification: Notification) -> None:
    receiver.delay = 2
    with pytest.raises(RetryableError, match="no answer"):
        await voice(receiver, timeout="300ms").notify(notification)
    with pytest.raises(RetryableError, match="no connection"):
        await voice(receiver, api_url="http://127.0.0.1:1").notify(notification)


@pytest.mark.parametrize("settings", [{"to": "0170123"}, {"sender": "Cordwood"}, {"language": "x"}, {"repeat": 9}])
def test_settings_that_are_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VoiceConfig(**SETTINGS | settings)
