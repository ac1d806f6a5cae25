"""Slack against a real HTTP server that answers as Slack does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cordwood.notifiers.slack import Slack, SlackConfig
from cordwood.plugins import FatalError, Notification, RejectedError, RetryableError

pytestmark = pytest.mark.anyio


def slack(receiver: Any, **config: Any) -> Slack:
    return Slack(SlackConfig(token="xoxb-hush-hush", channel="#ops", api_url=receiver.url + "/api", **config))


def answers(receiver: Any, status: int = 200, **body: Any) -> None:
    receiver.status, receiver.body = status, json.dumps(body).encode()
    receiver.headers = {"Content-Type": "application/json"}


async def test_the_message(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True, channel="C1", ts="1700000000.1")
    told = replace(notification, title="errors: <!channel> & co", samples=[{"message": "a ``` b"}] * 3)
    assert await slack(receiver).notify(told) == "posted C1 1700000000.1"
    ((method, path, headers, body),) = receiver.requests
    assert (method, path, headers["authorization"]) == ("POST", "/api/chat.postMessage", "Bearer xoxb-hush-hush")
    sent = json.loads(body)
    assert (sent["channel"], sent["text"]) == ("#ops", "[ERROR] errors: &lt;!channel&gt; &amp; co")
    assert sent["metadata"]["event_payload"]["delivery_id"] == notification.delivery_id
    (attachment,) = sent["attachments"]
    texts = [block["text"]["text"] for block in attachment["blocks"]]
    assert texts[1].count("```") == 2
    assert texts[2] == f"<{notification.link}|Incident 7>"


async def test_resolved_is_green_and_has_no_samples(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True)
    await slack(receiver).notify(replace(notification, event="resolved", resolved_at="2026-01-31T12:10:00.000000000Z"))
    (attachment,) = json.loads(receiver.requests[0][3])["attachments"]
    assert (attachment["color"], len(attachment["blocks"])) == ("#2e8540", 2)


async def test_huge_samples_are_cut(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True)
    await slack(receiver).notify(replace(notification, title="t" * 9000, samples=[{"message": "x" * 9000}] * 5))
    (attachment,) = json.loads(receiver.requests[0][3])["attachments"]
    assert all(len(block["text"]["text"]) <= 3000 for block in attachment["blocks"])


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (200, "invalid_auth", FatalError),
        (200, "missing_scope", FatalError),
        (200, "channel_not_found", RejectedError),
        (200, "is_archived", RejectedError),
        (200, "internal_error", RetryableError),
        (200, "ratelimited", RetryableError),
        (503, "service_unavailable", RetryableError),
    ],
)
async def test_errors(
    receiver: Any, notification: Notification, status: int, error: str, kind: type[Exception]
) -> None:
    answers(receiver, status, ok=False, error=error)
    with pytest.raises(kind, match=error) as caught:
        await slack(receiver).notify(notification)
    assert "hush" not in str(caught.value)
    assert len(receiver.requests) == 1


async def test_a_rate_limit_says_how_long(receiver: Any, notification: Notification) -> None:
    answers(receiver, 429, ok=False, error="ratelimited")
    receiver.headers["Retry-After"] = "30"
    with pytest.raises(RetryableError) as caught:
        await slack(receiver).notify(notification)
    assert caught.value.after == 30


async def test_no_answer(receiver: Any, notification: Notification) -> None:
    receiver.delay = 2
    with pytest.raises(RetryableError, match="no answer"):
        await slack(receiver, timeout="300ms").notify(notification)
    nobody = Slack(SlackConfig(token="xoxb-hush-hush", channel="#ops", api_url="http://127.0.0.1:1/"))
    with pytest.raises(RetryableError, match="no connection"):
        await nobody.notify(notification)


async def test_an_answer_that_is_not_slacks(receiver: Any, notification: Notification) -> None:
    receiver.status, receiver.body, receiver.headers = 502, b"<html>proxy</html>", {"Content-Type": "text/html"}
    with pytest.raises(RetryableError):
        await slack(receiver).notify(notification)
