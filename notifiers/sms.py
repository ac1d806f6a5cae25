"""A text message by Twilio.

    phone: {type: sms, account_sid: "AC…", auth_token: "${TWILIO_TOKEN}", sender: "+15005550006", to: "+491701234567"}

One notifier is one number: a delivery goes through or does not, so nobody gets a message twice because another's
failed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    Duration,
    FatalError,
    Notification,
    Notifier,
    NotifierConfig,
    RejectedError,
    RetryableError,
    duration_ns,
    headline,
    hookimpl,
)

if TYPE_CHECKING:
    from twilio.base.exceptions import TwilioRestException

MAX_TEXT = 320  # characters: two parts of a concatenated message, and each part is paid for


def _phone(number: str) -> str:
    if not (number.startswith("+") and number[1:].isascii() and number[1:].isdigit() and 7 <= len(number) <= 16):
        raise ValueError("is no phone number; write it as +491701234567")
    return number


class SmsConfig(NotifierConfig):
    """Settings of the text message notifier."""

    account_sid: Annotated[str, Field(min_length=1)]
    """Twilio's name of the account, `AC…`."""
    auth_token: SecretStr
    """Its token."""
    sender: Annotated[str, Field(min_length=1)]
    """Twilio number, alphanumeric sender, or messaging service (`MG…`) that it comes from."""
    to: Annotated[str, AfterValidator(_phone)]
    """Who gets it, in E.164: `+`, country, number."""
    api_url: str = "https://api.twilio.com"
    """Twilio's API."""
    timeout: Duration = "10s"
    """How long to wait for Twilio's answer."""


class Sms(Notifier[SmsConfig]):
    """A text message: the headline and the link."""

    async def notify(self, notification: Notification) -> str:
        """Hand it over to Twilio once; answers Twilio's id of the message and its status.

        :raises RetryableError: Twilio does not answer, has a fault, or asks to wait
        :raises FatalError: account or token are refused
        :raises RejectedError: Twilio refuses this message or this number
        """
        import aiohttp  # these are slow to import, and a node may have no such notifier
        from twilio.base.exceptions import TwilioException, TwilioRestException
        from twilio.http.async_http_client import AsyncTwilioHttpClient
        from twilio.rest import Client

        config, seconds = self.config, duration_ns(self.config.timeout) / 1e9
        source = "messaging_service_sid" if config.sender.startswith("MG") else "from_"
        try:
            with anyio.fail_after(seconds):
                async with AsyncTwilioHttpClient(logger=_SILENT) as http:
                    client = Client(config.account_sid, config.auth_token.get_secret_value(), http_client=http)
                    client.api.base_url = config.api_url.rstrip("/")
                    sent = await client.messages.create_async(
                        to=config.to, body=text(notification), **{source: config.sender}
                    )
        except TwilioRestException as why:
            raise _error(why) from None
        except TimeoutError:
            raise RetryableError(f"no answer within {config.timeout}") from None
        except (aiohttp.ClientError, TwilioException, OSError) as why:
            raise RetryableError(f"no connection: {type(why).__name__}") from None
        return f"{sent.status} {sent.sid}"

    def preview(self, notification: Notification) -> str:
        """The text."""
        return text(notification)


# Twilio's own log has each request with the number and the text in it.
_SILENT = logging.Logger("silent", logging.CRITICAL + 1)


def text(notification: Notification) -> str:
    """The headline, cut, and the whole link."""
    line, link = headline(notification), notification.link
    room = MAX_TEXT - len(link) - 1
    return f"{line if len(line) <= room else line[: max(0, room - 1)] + '…'}\n{link}"


def _error(why: TwilioRestException) -> Exception:
    """What the caller does next; https://www.twilio.com/docs/api/errors has the codes."""
    words = f"Twilio: {why.status}, code {why.code}" if why.code else f"Twilio: {why.status}"
    if why.status in (408, 425, 429) or why.status >= 500:
        return RetryableError(words)
    if why.status in (401, 403):
        return FatalError(f"{words}; check account and token")
    return RejectedError(words)


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Sms]
