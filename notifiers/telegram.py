"""A message in a Telegram chat, group or channel.

    oncall: {type: telegram, token: "${TELEGRAM_TOKEN}", chat: "-1001234567890"}

The token is a bot's, from @BotFather; the bot must be a member of the group, or an administrator of the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from pydantic import Field, SecretStr

from ..plugins import (
    NOT_JSON,
    Duration,
    HttpAddress,
    HttpAnswer,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    hookimpl,
    plain_text,
    post_json,
    url_reachable,
)

MAX_TEXT = 4_096  # characters, https://core.telegram.org/bots/api#sendmessage


class TelegramConfig(NotifierConfig):
    """Settings of the Telegram notifier."""

    token: SecretStr
    """The bot's token."""
    chat: str = Field(min_length=1)
    """Number of the chat, or `@name` of a public channel."""
    thread: int | None = Field(default=None, ge=1)
    """Number of a topic in a group that has topics."""
    url: HttpAddress = Field(default=SecretStr("https://api.telegram.org"))
    """Telegram's API, or a Bot API server of your own."""
    timeout: Duration = "10s"
    """How long to wait for Telegram's answer."""


class Telegram(Notifier[TelegramConfig]):
    """A message in a Telegram chat: plain text, in which Telegram sees no markup of a log's."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("url", self.config.url)]

    async def notify(self, notification: Notification) -> str:
        """Post it once; answers the status.

        :raises RetryableError: Telegram does not answer, has a fault, or asks to wait
        :raises RejectedError: Telegram refuses this message, the token or the chat
        """
        config = self.config
        link = f"\n{notification.link}"
        text = plain_text(notification)
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - len(link) - 1] + "…" + link
        message: dict[str, Any] = {
            "chat_id": config.chat,
            "text": text.replace("\0", ""),
            "link_preview_options": {"is_disabled": True},
        }
        if config.thread is not None:
            message["message_thread_id"] = config.thread
        base = config.url.get_secret_value().rstrip("/")
        address = SecretStr(f"{base}/bot{config.token.get_secret_value()}/sendMessage")
        answer = await post_json(address, message, within=config.timeout)
        return _explained(answer).taken()


class _Parameters(msgspec.Struct):
    retry_after: int | None = None


class _Answer(msgspec.Struct):
    description: str = ""
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


def _explained(answer: HttpAnswer) -> HttpAnswer:
    """With Telegram's own reason, and its wish to wait, which stands in the body and not in a header."""
    try:
        said = msgspec.json.decode(answer.body, type=_Answer)
    except NOT_JSON:
        return answer
    after = said.parameters.retry_after
    return replace(
        answer,
        words=f"{answer.words} {said.description[:200]}".strip(),
        retry_after=answer.retry_after if after is None else float(after),
    )


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Telegram]
