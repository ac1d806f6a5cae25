"""Slack against a real HTTP server that answers as Slack does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from cordwood.notifiers.slack import Slack, SlackConfig, signature
from cordwood.plugins import Chart, FatalError, Notification, Pressed, RejectedError, RetryableError

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


async def test_what_follows_is_in_the_thread_and_the_first_message_changes(
    receiver: Any, notification: Notification
) -> None:
    answers(receiver, ok=True, channel="C1", ts="1700000000.2")
    first = {"first": "posted C1 1700000000.1", "acknowledge": "http://c/ack/abc"}
    over = {"event": "resolved", "resolved_at": "2026-01-31T12:10:00.000000000Z", "acknowledge": ""}
    await slack(receiver).notify(replace(notification, **first, event="escalated"))  # type: ignore[arg-type]
    await slack(receiver).notify(replace(notification, **first | over))  # type: ignore[arg-type]
    paths = [path for _, path, _, _ in receiver.requests]
    assert paths == ["/api/chat.update", "/api/chat.postMessage"] * 2
    changed, reply, done, last = (json.loads(body) for *_, body in receiver.requests)
    assert (changed["channel"], changed["ts"]) == (done["channel"], done["ts"]) == ("C1", "1700000000.1")
    assert {(one["channel"], one["thread_ts"]) for one in (reply, last)} == {("C1", "1700000000.1")}
    assert (reply["reply_broadcast"], last["reply_broadcast"]) == (True, False)
    assert done["attachments"][0]["color"] == "#2e8540"
    said = json.dumps(done["attachments"])
    assert "[RESOLVED]" in said
    assert "card declined 1" in said
    assert "Acknowledge" not in said
    assert "Acknowledge" in json.dumps(changed["attachments"])


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_without_the_first_message_it_goes_to_the_channel(
    receiver: Any, notification: Notification, error: str
) -> None:
    bodies = [{"ok": False, "error": error}, {"ok": True, "channel": "C1", "ts": "1700000000.2"}]
    receiver.headers = {"Content-Type": "application/json"}
    receiver.bodies = [json.dumps(body).encode() for body in bodies]
    await slack(receiver).notify(replace(notification, first="posted C1 1700000000.1"))
    sent = json.loads(receiver.requests[1][3])
    assert (sent["channel"], sent.get("thread_ts")) == ("#ops", None)


async def test_a_fault_of_the_change_is_tried_again_before_anything_is_posted(
    receiver: Any, notification: Notification
) -> None:
    answers(receiver, 429, ok=False, error="ratelimited")
    receiver.headers["Retry-After"] = "7"
    with pytest.raises(RetryableError) as found:
        await slack(receiver).notify(replace(notification, first="posted C1 1700000000.1"))
    assert found.value.after == 7
    assert [path for _, path, _, _ in receiver.requests] == ["/api/chat.update"]


async def test_after_a_digest_there_is_no_thread(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True)
    await slack(receiver).notify(replace(notification, first="in a digest: posted C1 1700000000.1"))
    assert [path for _, path, _, _ in receiver.requests] == ["/api/chat.postMessage"]


async def test_the_chart_is_a_line_of_bars(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True)
    chart = Chart("2026-01-31T11:50:00.000000000Z", "2026-01-31T12:00:00.000000000Z", [0, 1, 4, 8])
    await slack(receiver).notify(replace(notification, chart=chart))
    (attachment,) = json.loads(receiver.requests[0][3])["attachments"]
    assert attachment["blocks"][1]["text"]["text"] == "` ▁▄█` 2026-01-31 11:50 to 12:00 UTC, at most 8"


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


# The example of https://docs.slack.dev/authentication/verifying-requests-from-slack.
SECRET, STAMP = "8f742231b10e8888abcd99yyyzzz85a5", 1531420618
EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def signing(at: float = STAMP, secret: str | None = SECRET) -> Slack:
    return Slack(SlackConfig(token="xoxb-hush-hush", channel="#ops", signing_secret=secret), clock=lambda: at)


def sent(signed: str = SIGNED, stamp: str = str(STAMP)) -> dict[str, str]:
    return {"x-slack-signature": signed, "x-slack-request-timestamp": stamp}


def test_slacks_own_example_is_genuine_and_no_button_of_ours() -> None:
    assert signing().pressed(sent(), EXAMPLE) == Pressed("", "")
    assert signing(STAMP + 299).pressed(sent(), EXAMPLE) is not None


@pytest.mark.parametrize(
    ("at", "headers", "body"),
    [
        (STAMP + 301, sent(), EXAMPLE),
        (STAMP - 301, sent(), EXAMPLE),
        (STAMP, sent(SIGNED[:-1] + "4"), EXAMPLE),
        (STAMP, sent("é"), EXAMPLE),
        (STAMP, sent(stamp=str(STAMP + 1)), EXAMPLE),
        (STAMP, sent(stamp="²"), EXAMPLE),
        (STAMP, sent(), EXAMPLE + b"&more=1"),
        (STAMP, {}, EXAMPLE),
    ],
    ids=["old", "of the future", "another digest", "no ASCII", "another time", "no time", "another body", "unsigned"],
)
def test_what_is_not_slacks(at: float, headers: dict[str, str], body: bytes) -> None:
    assert signing(at).pressed(headers, body) is None


def test_without_a_secret_nothing_is_slacks() -> None:
    assert signing(secret=None).pressed(sent(), EXAMPLE) is None


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (
            {
                "user": {"id": "U1", "username": "ann"},
                "actions": [{"action_id": "cordwood_acknowledge", "value": "t0k"}],
            },
            Pressed("t0k", "ann"),
        ),
        ({"user": {"id": "U1"}, "actions": [{"action_id": "another", "value": "x"}]}, Pressed("", "U1")),
        ({"actions": 7}, Pressed("", "")),
    ],
    ids=["ours", "another", "nonsense"],
)
def test_a_button_is_pressed(payload: dict[str, Any], found: Pressed) -> None:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    assert signing().pressed(sent(signature(SECRET, str(STAMP), body)), body) == found


async def test_the_message_has_a_button_or_a_link(receiver: Any, notification: Notification) -> None:
    answers(receiver, ok=True)
    told = replace(notification, acknowledge="http://127.0.0.1:8080/acknowledge/t0k")
    await slack(receiver).notify(told)
    await slack(receiver, signing_secret="hush").notify(told)
    plain, button = (json.loads(request[3])["attachments"][0]["blocks"][-1] for request in receiver.requests)
    assert plain["text"]["text"].endswith(" · <http://127.0.0.1:8080/acknowledge/t0k|Acknowledge>")
    assert button["elements"][0] | {"text": ""} == {
        "type": "button", "action_id": "cordwood_acknowledge", "text": "", "value": "t0k"
    }  # fmt: skip
