"""A push message on telephones and desktops by ntfy, its public server or one of your own.

    phone: {type: ntfy, topic: "${NTFY_TOPIC}"}

On the public server everybody who knows the topic's name can read it: take one that nobody guesses.
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
    NotifierConfig,
    headline,
    hookimpl,
    plain_text,
    post_json,
    state_or_level,
    url_reachable,
)

MAX_TEXT = 3_500  # bytes: ntfy makes a file of a message beyond 4,096
PRIORITIES = {"resolved": 2, "FATAL": 5, "ERROR": 4, "WARN": 3}  # https://docs.ntfy.sh/publish/#message-priority
TAGS = {5: "rotating_light", 4: "red_circle", 3: "warning", 2: "white_check_mark"}


class NtfyConfig(NotifierConfig):
    """Settings of the ntfy notifier."""

    topic: SecretStr = Field(min_length=1, max_length=64)
    """Name of the topic. Shown nowhere: it is a password."""
    url: HttpAddress = Field(default=SecretStr("https://ntfy.sh"))
    """The server."""
    token: SecretStr | None = None
    """Access token, where the server asks for one."""
    timeout: Duration = "10s"
    """How long to wait for the server's answer."""


class Ntfy(Notifier[NtfyConfig]):
    """A push message by ntfy; a tap opens the incident."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Publish it once; answers the status.

        :raises RetryableError: the server does not answer, has a fault, or asks to wait
        :raises RejectedError: the server refuses this message, the topic or the token
        """
        priority = PRIORITIES.get(state_or_level(notification), 3)
        lines = plain_text(notification).split("\n")[1:-1]  # the headline is the title, the link the tap
        message = {
            "topic": self.config.topic.get_secret_value(),
            "title": headline(notification)[:250],
            "message": "\n".join(lines).strip().encode()[:MAX_TEXT].decode("utf-8", "ignore") or notification.title,
            "priority": priority,
            "tags": [TAGS[priority]],
            "click": notification.link,
        }
        token = self.config.token
        headers = {} if token is None else {"authorization": f"Bearer {token.get_secret_value()}"}
        answer = await post_json(self.config.url, message, within=self.config.timeout, headers=headers)
        return answer.taken()


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Ntfy]
