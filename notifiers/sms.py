"""A text message by Twilio.

    phone: {type: sms, account_sid: "AC…", auth_token: "${TWILIO_TOKEN}", sender: "+15005550006", to: "+491701234567"}

One notifier is one number: a delivery goes through or does not, so nobody gets a message twice because another's
failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from ..plugins import Need, Notification, Notifier, headline, hookimpl, url_reachable
from .twilio import TwilioConfig, ask

MAX_TEXT = 320  # characters: two parts of a concatenated message, and each part is paid for


class SmsConfig(TwilioConfig):
    """Settings of the text message notifier."""

    sender: Annotated[str, Field(min_length=1)]
    """Twilio number, alphanumeric sender, or messaging service (`MG…`) that it comes from."""


class Sms(Notifier[SmsConfig]):
    """A text message: the headline and the link."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("api_url", self.config.api_url)]

    async def notify(self, notification: Notification) -> str:
        """Hand it over to Twilio once; answers the message's status and Twilio's id of it. For the errors see `ask`."""
        config = self.config
        source = "messaging_service_sid" if config.sender.startswith("MG") else "from_"
        body = text(notification)
        return await ask(
            config, lambda client: client.messages.create_async(to=config.to, body=body, **{source: config.sender})
        )

    def preview(self, notification: Notification) -> str:
        """The text."""
        return text(notification)


def text(notification: Notification) -> str:
    """The headline, cut, and the whole link."""
    line, link = headline(notification), notification.link
    room = MAX_TEXT - len(link) - 1
    return f"{line if len(line) <= room else line[: max(0, room - 1)] + '…'}\n{link}"


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Sms]
