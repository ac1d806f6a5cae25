"""A card in a channel of Microsoft Teams.

    oncall: {type: teams, url: "${TEAMS_WEBHOOK}"}

The address comes from the channel's workflow "Post to a channel when a webhook request is received".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..plugins import (
    Duration,
    HttpAddress,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    details,
    figures,
    headline,
    hookimpl,
    post_json,
    state_or_level,
    url_reachable,
)

MAX_TEXT = 4_000  # characters of the samples: Teams takes 28 KB a card
COLOURS = {"resolved": "good", "FATAL": "attention", "ERROR": "attention", "WARN": "warning"}


class TeamsConfig(NotifierConfig):
    """Settings of the Teams notifier."""

    url: HttpAddress
    """The workflow's address. Shown nowhere: it is a password."""
    timeout: Duration = "20s"
    """How long to wait for the workflow's answer."""


class Teams(Notifier[TeamsConfig]):
    """A card in a channel of Microsoft Teams, with figures, samples and the link."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Post it once; answers the status.

        :raises RetryableError: Teams does not answer, has a fault, or asks to wait
        :raises RejectedError: Teams refuses this card, or the workflow is gone
        """
        card = {"type": "message", "attachments": [_attachment(notification)]}
        answer = await post_json(self.config.url, card, within=self.config.timeout)
        return answer.taken()


def _attachment(notification: Notification) -> dict[str, Any]:
    """An Adaptive Card; texts are text runs and facts, in which Teams sees no markup of a log's."""
    colour = COLOURS.get(state_or_level(notification), "default")
    head = {"type": "TextRun", "text": headline(notification)[:1_000], "weight": "bolder", "color": colour}
    body: list[dict[str, Any]] = [{"type": "RichTextBlock", "inlines": [head]}]
    facts = [{"title": name, "value": text} for name, text in figures(notification, most=20, longest=200).items()]
    if facts:
        body.append({"type": "FactSet", "facts": facts})
    if text := details(notification)[:MAX_TEXT]:
        run = {"type": "TextRun", "text": text, "fontType": "monospace", "size": "small"}
        body.append({"type": "RichTextBlock", "inlines": [run]})
    return {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": body,
            "actions": [{"type": "Action.OpenUrl", "title": "Open in Cordwood", "url": notification.link}],
        },
    }


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Teams]
