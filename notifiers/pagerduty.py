"""An incident in PagerDuty, opened and resolved with ours.

    oncall: {type: pagerduty, routing_key: "${PAGERDUTY_KEY}"}

The routing key is the integration key of a service's integration "Events API v2". Opening and resolving carry the same
`dedup_key`, so a message that comes twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, SecretStr

from ..plugins import (
    Duration,
    HttpAddress,
    Need,
    Notification,
    Notifier,
    PluginConfig,
    figures,
    group_words,
    headline,
    hookimpl,
    incident_key,
    post_json,
    sample_messages,
    state_or_level,
    url_reachable,
)

MAX_SUMMARY, MAX_KEY = 1_024, 255  # characters, https://developer.pagerduty.com/docs/send-alert-event
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

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Send the event once; answers the status.

        :raises RetryableError: PagerDuty does not answer, has a fault, or asks to wait
        :raises RejectedError: PagerDuty refuses this event, or knows no such key
        """
        answer = await post_json(self.config.url, self._event(notification), within=self.config.timeout)
        return answer.taken()

    def _event(self, notification: Notification) -> dict[str, Any]:
        resolved = notification.event == "resolved"
        event: dict[str, Any] = {
            "routing_key": self.config.routing_key.get_secret_value(),
            "event_action": "resolve" if resolved else "trigger",
            "dedup_key": incident_key(notification)[:MAX_KEY],
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
                "severity": LEVELS.get(state_or_level(notification), "info"),
                "timestamp": notification.opened_at,
                "class": notification.detector,
                "custom_details": {
                    **figures(notification),
                    "events": sample_messages(notification)[:MAX_EVENTS],
                    "delivery_id": notification.delivery_id,
                },
            },
        }


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Pagerduty]
