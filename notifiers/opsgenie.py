"""An alert in Opsgenie, opened and closed with our incident.

    oncall: {type: opsgenie, api_key: "${OPSGENIE_KEY}", tags: [production]}

The key is that of an API integration. The alert's alias is our incident's number, so a message that comes twice changes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from ..plugins import (
    Duration,
    HttpAddress,
    Need,
    Notification,
    Notifier,
    PluginConfig,
    figures,
    headline,
    hookimpl,
    incident_key,
    plain_text,
    post_json,
    state_or_level,
    url_reachable,
)

MAX_MESSAGE, MAX_ALIAS, MAX_DESCRIPTION = 130, 512, 15_000  # characters, https://docs.opsgenie.com/docs/alert-api
PRIORITIES = {"FATAL": "P1", "ERROR": "P2", "WARN": "P3"}


class OpsgenieConfig(PluginConfig):
    """Settings of the Opsgenie notifier."""

    api_key: SecretStr
    """The integration's key."""
    url: HttpAddress = Field(default=SecretStr("https://api.opsgenie.com"))
    """Opsgenie's API; `https://api.eu.opsgenie.com` in the EU."""
    tags: list[str] = Field(default_factory=list, max_length=20)
    """Tags of the alert."""
    timeout: Duration = "10s"
    """How long to wait for Opsgenie's answer."""


class Opsgenie(Notifier[OpsgenieConfig]):
    """An alert in Opsgenie."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Open or close the alert once; answers the status.

        :raises RetryableError: Opsgenie does not answer, has a fault, or asks to wait
        :raises RejectedError: Opsgenie refuses this alert or the key
        """
        base = self.config.url.get_secret_value().rstrip("/")
        alias = incident_key(notification)[:MAX_ALIAS]
        if notification.event == "resolved":
            path = f"/v2/alerts/{quote(alias, safe='')}/close?identifierType=alias"
            alert: dict[str, Any] = {"source": "Cordwood", "note": headline(notification)}
        else:
            path = "/v2/alerts"
            details = figures(notification) | {"detector": notification.detector, "link": notification.link}
            alert = {
                "message": headline(notification)[:MAX_MESSAGE],
                "alias": alias,
                "description": plain_text(notification)[:MAX_DESCRIPTION],
                "details": details,
                "tags": self.config.tags,
                "entity": notification.detector,
                "source": "Cordwood",
                "priority": PRIORITIES.get(state_or_level(notification), "P5"),
            }
        key = {"authorization": f"GenieKey {self.config.api_key.get_secret_value()}"}
        answer = await post_json(SecretStr(base + path), alert, within=self.config.timeout, headers=key)
        return answer.taken()


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Opsgenie]
