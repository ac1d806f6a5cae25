"""`template` of a notifier: people's own words, in a sandbox; where it fails, the usual ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cordwood.config import ConfigErrors, load_text
from cordwood.notifiers.discord import Discord, DiscordConfig
from cordwood.notifiers.email import EmailConfig, mail
from cordwood.notifiers.ntfy import Ntfy, NtfyConfig
from cordwood.notifiers.webhook import Webhook, WebhookConfig
from cordwood.plugins import Notification, headline, load_plugins, plain_text, worded
from pydantic import ValidationError

pytestmark = pytest.mark.anyio
TEMPLATE = """{{ severity }} on {{ group.service }}
{{ values.n }} errors since {{ opened_at[:10] }}
{% for one in samples %}- {{ one.message }}
{% endfor %}"""


async def test_the_first_line_is_the_headline_and_the_links_stay(notification: Notification) -> None:
    said, fault = await worded(TEMPLATE, replace(notification, acknowledge="http://c/a"))
    assert fault is None
    assert headline(said) == "ERROR on pay"
    assert plain_text(said).splitlines() == [
        "ERROR on pay", "", "62 errors since 2026-01-31", "- card declined 1", "", "Acknowledge: http://c/a",
        "http://127.0.0.1:8080/alerts/incidents/7",
    ]  # fmt: skip


async def test_channels_say_it(notification: Notification, receiver: Any) -> None:
    said, _ = await worded(TEMPLATE, notification)
    config = EmailConfig(host="x", sender="c@example.com", to=["ops@example.com"], template=TEMPLATE)
    assert mail(config, said)["Subject"] == "ERROR on pay"
    await Discord(DiscordConfig(url=receiver.url)).notify(said)
    await Ntfy(NtfyConfig(url=receiver.url, topic="t")).notify(said)
    await Webhook(WebhookConfig(url=receiver.url)).notify(said)
    discord, ntfy, hook = (msgspec.json.decode(request[3]) for request in receiver.requests)
    assert discord["embeds"][0]["title"] == "ERROR on pay"
    assert "62 errors since 2026-01-31\n- card declined 1" in discord["embeds"][0]["description"]
    assert (ntfy["title"], ntfy["message"]) == ("ERROR on pay", "62 errors since 2026-01-31\n- card declined 1")
    assert hook["words"].startswith("ERROR on pay\n62 errors")


@pytest.mark.parametrize(
    "template",
    ["{{ nothing }}", "{{ ''.__class__.__mro__ }}", "{{ 1 / 0 }}", "{{ samples[9].message }}", "{{ 'x' * 2000000 }}"],
)
async def test_one_that_fails_says_the_usual(notification: Notification, template: str) -> None:
    said, fault = await worded(template, notification)
    assert said == notification
    assert fault is not None
    assert fault.startswith("the template ")


async def test_reports_and_digests_have_their_own_words(notification: Notification) -> None:
    report = replace(notification, incident_id=0, event="report")
    assert await worded(TEMPLATE, report) == (report, None)


def test_one_that_is_no_template_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigErrors, match=r"notifiers\.a\.template: .*\(line 2 of the template\)"):
        load_text('notifiers:\n  a: {type: ntfy, topic: t, template: "x\\n{% if %}"}\n', load_plugins())
    with pytest.raises(ValidationError, match="20000"):
        NtfyConfig(topic="t", template="x" * 20_001)
