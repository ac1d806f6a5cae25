"""Services that are told by one HTTP request, against a real HTTP server that answers as their documentation says."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cordwood.notifiers.discord import Discord
from cordwood.notifiers.ntfy import Ntfy
from cordwood.notifiers.opsgenie import Opsgenie
from cordwood.notifiers.pagerduty import Pagerduty
from cordwood.notifiers.teams import Teams
from cordwood.notifiers.telegram import Telegram
from cordwood.plugins import Notification, Notifier, RejectedError, RetryableError, load_plugins
from cordwood.plugins.conformance import notifier_contract

pytestmark = pytest.mark.anyio
SECRET = "hush-hush"


@dataclass(frozen=True)
class Service:
    """A notifier, its settings for a server, and the path of its first request."""

    cls: type[Notifier[Any]]
    settings: Callable[[str], dict[str, Any]]
    path: str
    taken: tuple[int, bytes] = (200, b"{}")


SERVICES = [
    Service(
        Pagerduty,
        lambda url: {"routing_key": SECRET, "url": url + "/v2/enqueue"},
        "/v2/enqueue",
        (202, b'{"status":"success","message":"Event processed","dedup_key":"cordwood/default/7"}'),
    ),
    Service(
        Opsgenie,
        lambda url: {"api_key": SECRET, "url": url, "tags": ["production"]},
        "/v2/alerts",
        (202, b'{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c"}'),
    ),
    Service(Teams, lambda url: {"url": f"{url}/workflows/{SECRET}"}, f"/workflows/{SECRET}", (202, b"")),
    Service(
        Discord,
        lambda url: {"url": f"{url}/api/webhooks/1/{SECRET}"},
        f"/api/webhooks/1/{SECRET}?wait=true",
        (200, b'{"id":"1098","type":0}'),
    ),
    Service(
        Telegram,
        lambda url: {"token": SECRET, "chat": "-100123", "url": url},
        f"/bot{SECRET}/sendMessage",
        (200, b'{"ok":true,"result":{"message_id":4}}'),
    ),
    Service(
        Ntfy,
        lambda url: {"topic": SECRET, "url": url + "/", "token": "tk_1"},
        "/",
        (200, b'{"id":"sPs71M8A2T","event":"message"}'),
    ),
]
each = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.cls.type)

test_pagerduty = notifier_contract(Pagerduty, SERVICES[0].settings)
test_opsgenie = notifier_contract(Opsgenie, SERVICES[1].settings)
test_teams = notifier_contract(Teams, SERVICES[2].settings)
test_discord = notifier_contract(Discord, SERVICES[3].settings)
test_telegram = notifier_contract(Telegram, SERVICES[4].settings)
test_ntfy = notifier_contract(Ntfy, SERVICES[5].settings)


def made(service: Service, receiver: Any) -> Notifier[Any]:
    receiver.status, receiver.body = service.taken
    return service.cls(service.cls.config_model(**service.settings(receiver.url)))


async def sent(service: Service, receiver: Any, notification: Notification) -> tuple[str, dict[str, str], Any]:
    """(path, headers, JSON) of the request that the notification makes."""
    answer = await made(service, receiver).notify(notification)
    assert answer.startswith(str(service.taken[0]))
    method, path, headers, body = receiver.requests[-1]
    assert (method, headers["content-type"]) == ("POST", "application/json")
    return path, headers, json.loads(body)


@each
async def test_where_it_goes_and_what_it_says(service: Service, receiver: Any, notification: Notification) -> None:
    path, _, said = await sent(service, receiver, notification)
    text = json.dumps(said, ensure_ascii=False)
    assert path == service.path
    assert "[ERROR] errors: n = 62" in text
    assert "card declined 1" in text
    assert notification.link in text


@each
@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_to_be_tried_again(service: Service, receiver: Any, notification: Notification, status: int) -> None:
    notifier = made(service, receiver)
    receiver.status, receiver.headers = status, {"Retry-After": "13"}
    with pytest.raises(RetryableError, match=str(status)) as caught:
        await notifier.notify(notification)
    assert caught.value.after == 13


@each
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410])
async def test_refused_for_good(service: Service, receiver: Any, notification: Notification, status: int) -> None:
    notifier = made(service, receiver)
    receiver.status, receiver.headers = status, {"Location": "/elsewhere"}
    with pytest.raises(RejectedError, match=str(status)):
        await notifier.notify(notification)
    assert len(receiver.requests) == 1


@each
async def test_too_slow_or_cut_off(service: Service, receiver: Any, notification: Notification) -> None:
    settings = service.settings(receiver.url) | {"timeout": "300ms"}
    receiver.delay = 1.0
    with pytest.raises(RetryableError, match="no answer within"):
        await service.cls(service.cls.config_model(**settings)).notify(notification)
    receiver.delay, receiver.headers = 0.0, {"Content-Length": "999"}
    with pytest.raises(RetryableError):
        await service.cls(service.cls.config_model(**settings)).notify(notification)


@each
async def test_secrets_show_nowhere(
    service: Service, receiver: Any, notification: Notification, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notifier = made(service, receiver)
    receiver.status = 500
    with pytest.raises(RetryableError) as caught:
        await notifier.notify(notification)
    shown = [record.getMessage() for record in caplog.records]
    assert SECRET not in " ".join([*shown, str(caught.value), repr(notifier.config), notifier.config.model_dump_json()])


@each
async def test_hostile_and_endless_words(service: Service, receiver: Any, notification: Notification) -> None:
    """Everything stays within the services' bounds, and nothing of a log becomes their markup."""
    nasty = "```@everyone <b>[x](http://evil) \0 \u202e \U0001f525 *_~`"
    _, _, said = await sent(
        service,
        receiver,
        replace(
            notification,
            title=nasty * 500,
            group={f"{nasty}{i}": nasty * 100 for i in range(200)},
            samples=[{"message": nasty * 1_000}] * 50,
        ),
    )
    assert len(receiver.requests[-1][3]) < 1_000_000
    match service.cls.type:
        case "pagerduty":
            assert len(said["payload"]["summary"]) <= 1_024
        case "opsgenie":
            assert (len(said["message"]), len(said["description"])) <= (130, 15_000)
        case "teams":
            assert len(receiver.requests[-1][3]) < 28_000
            blocks = said["attachments"][0]["content"]["body"]
            assert {block["type"] for block in blocks} == {"RichTextBlock", "FactSet"}
        case "discord":
            (embed,) = said["embeds"]
            texts = [
                embed["title"],
                embed["description"],
                *(x for f in embed["fields"] for x in (f["name"], f["value"])),
            ]
            assert sum(map(len, texts)) <= 6_000
            assert embed["description"].count("`") == 6
            assert said["allowed_mentions"] == {"parse": []}
        case "telegram":
            assert len(said["text"]) <= 4_096
            assert said["text"].endswith(notification.link)
            assert "parse_mode" not in said
        case "ntfy":
            assert len(said["message"].encode()) <= 3_500


@each
async def test_resolved(service: Service, receiver: Any, notification: Notification) -> None:
    over = replace(notification, event="resolved", resolved_at="2026-01-31T12:10:00.000000000Z")
    path, headers, said = await sent(service, receiver, over)
    match service.cls.type:
        case "pagerduty":
            assert (said["event_action"], said["dedup_key"]) == ("resolve", "cordwood/default/7")
        case "opsgenie":
            assert path == "/v2/alerts/cordwood%2Fdefault%2F7/close?identifierType=alias"
            assert headers["authorization"] == f"GenieKey {SECRET}"
        case "ntfy":
            assert (said["priority"], headers["authorization"]) == (2, "Bearer tk_1")
        case _:
            assert "[RESOLVED]" in json.dumps(said)
            assert "card declined" not in json.dumps(said)


async def test_one_incident_has_one_name_at_pagerduty_and_opsgenie(receiver: Any, notification: Notification) -> None:
    again = replace(notification, delivery_id="another")
    names = set()
    for one in (notification, again):
        names.add((await sent(SERVICES[0], receiver, one))[2]["dedup_key"])
        names.add((await sent(SERVICES[1], receiver, one))[2]["alias"])
    assert names == {"cordwood/default/7"}
    other = replace(notification, incident_id=8)
    assert (await sent(SERVICES[0], receiver, other))[2]["dedup_key"] == "cordwood/default/8"


@pytest.mark.parametrize(
    ("severity", "pagerduty", "opsgenie", "ntfy"),
    [
        ("FATAL", "critical", "P1", 5),
        ("ERROR2", "error", "P2", 4),
        ("WARN", "warning", "P3", 3),
        ("INFO", "info", "P5", 3),
    ],
)
async def test_severities(
    receiver: Any, notification: Notification, severity: str, pagerduty: str, opsgenie: str, ntfy: int
) -> None:
    one = replace(notification, severity=severity)
    assert (await sent(SERVICES[0], receiver, one))[2]["payload"]["severity"] == pagerduty
    assert (await sent(SERVICES[1], receiver, one))[2]["priority"] == opsgenie
    assert (await sent(SERVICES[5], receiver, one))[2]["priority"] == ntfy


async def test_telegram_says_in_its_body_how_long_to_wait(receiver: Any, notification: Notification) -> None:
    notifier = made(SERVICES[4], receiver)
    receiver.status = 429
    receiver.body = b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":35}}'
    with pytest.raises(RetryableError, match="Too Many Requests") as caught:
        await notifier.notify(notification)
    assert caught.value.after == 35
    receiver.status, receiver.body = 400, b'{"ok":false,"description":"Bad Request: chat not found"}'
    with pytest.raises(RejectedError, match="chat not found"):
        await notifier.notify(notification)
    for body in (b'{"description":"\xa6"}', b'{"x":' * 5000):  # from whoever stands before it
        receiver.status, receiver.body = 502, body
        with pytest.raises(RetryableError, match="502"):
            await notifier.notify(notification)


def test_the_page_shows_each(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerting.md").read_text()
    blocks = [text.split("```")[0] for text in page.split("```yaml\n") if text.startswith("notifiers:\n  chat:")]
    classes = {
        name: loaded.cls for name, loaded in load_plugins().kinds["notifier"].items() if loaded.package == "cordwood"
    }
    shown = set()
    for block in blocks:
        block = block.replace("${DISCORD_WEBHOOK}", "https://d/x").replace("${TEAMS_WEBHOOK}", "https://t/x")
        for settings in yaml.safe_load(block)["notifiers"].values():
            shown.add(kind := settings.pop("type"))
            classes[kind].config_model(**settings)
    assert classes.keys() - shown <= {"sms", "webhook"}
