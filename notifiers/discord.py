"""A message in a Discord channel.

    oncall: {type: discord, url: "${DISCORD_WEBHOOK}"}

The address comes from the channel's settings, Integrations, Webhooks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

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

MAX_TITLE, MAX_DESCRIPTION = 256, 3_000  # Discord takes 6,000 together
COLOURS = {"resolved": 0x2E8540, "FATAL": 0x7A0C0C, "ERROR": 0xC9302C, "WARN": 0xD98D00}


class DiscordConfig(NotifierConfig):
    """Settings of the Discord notifier."""

    url: HttpAddress
    """The webhook's address. Shown nowhere: it is a password."""
    timeout: Duration = "10s"
    """How long to wait for Discord's answer."""


class Discord(Notifier[DiscordConfig]):
    """A message in a Discord channel, with figures, samples and the link."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Post it once; answers the status.

        :raises RetryableError: Discord does not answer, has a fault, or asks to wait
        :raises RejectedError: Discord refuses this message, or the webhook is gone
        """
        address = self.config.url.get_secret_value()
        answer = await post_json(
            SecretStr(f"{address}{'&' if '?' in address else '?'}wait=true"),  # answers when it is posted
            {"embeds": [_embed(notification)], "allowed_mentions": {"parse": []}},
            within=self.config.timeout,
        )
        return answer.taken()


def _embed(notification: Notification) -> dict[str, Any]:
    embed: dict[str, Any] = {
        "title": headline(notification)[:MAX_TITLE],
        "url": notification.link,
        "color": COLOURS.get(state_or_level(notification), 0x4A6785),
        "timestamp": notification.resolved_at or notification.opened_at,
        "fields": [
            {"name": name or "-", "value": f"`{_inert(text) or ' '}`", "inline": True}
            for name, text in figures(notification, most=10, longest=100).items()
        ],
    }
    if text := details(notification):
        embed["description"] = f"```\n{_inert(text[:MAX_DESCRIPTION])}\n```"
    return embed


def _inert(text: str) -> str:
    """Text that cannot end the code it stands in, the only place where Discord sees no markup."""
    return text.replace("`", "\u02cb")


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Discord]
