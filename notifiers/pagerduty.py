"""An incident in PagerDuty, opened and resolved with ours.

    oncall: {type: pagerduty, routing_key: "${PAGERDUTY_KEY}"}

The routing key is the integration key of a service's integration "Events API v2". Opening and resolving carry the same
`dedup_key`, so a message that comes twice changes nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import Field, SecretStr

from ..plugins import (
    Duration,
    HttpAddress,
    Notification,
    Notifier,
    PluginConfig,
    duration_ns,
    figures,
    group_words,
    headline,
    hookimpl,
    http_send,
    sample_messages,
)

MAX_SUMMARY = 1_024  # characters, https://developer.pagerduty.com/docs/send-alert-event
MAX_EVENTS = 20
LEVELS = {"FATAL": "critical", "ERROR": "error", "WARN": "warning"}


class PagerdutyConfig(PluginConfig):
    """Settings of the PagerDuty notifier."""

    routing_key: SecretStr
    """The integration key."""
    url: HttpAddress = Field(default=SecretStr("https://events.pagerduty.com/v2/enqueue"))
    """PagerDuty's Events API; `https://events.eu.pagerduty.com/v2/enqueue` in the EU."""
    timeout: Duration = "10s"
    """How long to wait for PagerDuty's answer."""


class Pagerduty(Notifier[PagerdutyConfig]):
    """An incident in PagerDuty, by its Events API v2."""

    async def notify(self, notification: Notification) -> str:
        """Send the event once; answers the status.

        :raises RetryableError: PagerDuty does not answer, has a fault, or asks to wait
        :raises RejectedError: PagerDuty refuses this event, or knows no such key
        """
        answer = await http_send(
            self.config.url,
            msgspec.json.encode(self._event(notification)),
            {"content-type": "application/json", "user-agent": "Cordwood"},
            seconds=duration_ns(self.config.timeout) / 1e9,
        )
        return answer.taken()

    def _event(self, notification: Notification) -> dict[str, Any]:
        resolved = notification.event == "resolved"
        event: dict[str, Any] = {
            "routing_key": self.config.routing_key.get_secret_value(),
            "event_action": "resolve" if resolved else "trigger",
            "dedup_key": dedup_key(notification),
        }
        if resolved:
            return event
        return event | {
            "client": "Cordwood",
            "client_url": notification.link,
            "links": [{"href": notification.link, "text": "Incident in Cordwood"}],
            "payload": {
                "summary": headline(notification)[:MAX_SUMMARY],
                "source": (group_words(notification.group) or notification.project)[:MAX_SUMMARY],
                "severity": LEVELS.get(notification.severity.rstrip("234"), "info"),
                "timestamp": notification.opened_at,
                "class": notification.detector,
                "custom_details": {
                    **figures(notification),
                    "events": sample_messages(notification)[:MAX_EVENTS],
                    "delivery_id": notification.delivery_id,
                },
            },
        }


def dedup_key(notification: Notification) -> str:
    """One for each incident, or each report."""
    number = notification.incident_id or notification.delivery_id
    return f"cordwood/{notification.project}/{number}"[:255]


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Pagerduty]
