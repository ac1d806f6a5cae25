"""What the notifiers by Twilio share: the settings of an account, and its calls with their errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import Duration, FatalError, NotifierConfig, RejectedError, RetryableError, duration_ns

if TYPE_CHECKING:
    from twilio.base.exceptions import TwilioRestException


def phone(number: str) -> str:
    """A number in E.164.

    :raises ValueError: it is none
    """
    if not (number.startswith("+") and number[1:].isascii() and number[1:].isdigit() and 7 <= len(number) <= 16):
        raise ValueError("is no phone number; write it as +491701234567")
    return number


class TwilioConfig(NotifierConfig):
    """Settings of a notifier by Twilio."""

    account_sid: Annotated[str, Field(min_length=1)]
    """Twilio's name of the account, `AC…`."""
    auth_token: SecretStr
    """Its token."""
    to: Annotated[str, AfterValidator(phone)]
    """Who gets it, in E.164: `+`, country, number."""
    api_url: str = "https://api.twilio.com"
    """Twilio's API."""
    timeout: Duration = "10s"
    """How long to wait for Twilio's answer."""


async def ask(config: TwilioConfig, request: Callable[[Any], Awaitable[Any]]) -> str:
    """Hand something over to Twilio once, by its client; answers its status there, and Twilio's id of it.

    :raises RetryableError: Twilio does not answer, has a fault, or asks to wait
    :raises FatalError: account or token are refused
    :raises RejectedError: Twilio refuses this message or this number
    """
    import aiohttp  # these are slow to import, and a node may have no such notifier
    from twilio.base.exceptions import TwilioException, TwilioRestException
    from twilio.http.async_http_client import AsyncTwilioHttpClient
    from twilio.rest import Client

    try:
        with anyio.fail_after(duration_ns(config.timeout) / 1e9):
            async with AsyncTwilioHttpClient(logger=_SILENT) as http:
                client = Client(config.account_sid, config.auth_token.get_secret_value(), http_client=http)
                client.api.base_url = config.api_url.rstrip("/")
                sent = await request(client)
    except TwilioRestException as why:
        raise _error(why) from None
    except TimeoutError:
        raise RetryableError(f"no answer within {config.timeout}") from None
    except (aiohttp.ClientError, TwilioException, OSError) as why:
        raise RetryableError(f"no connection: {type(why).__name__}") from None
    return f"{sent.status} {sent.sid}"


# Twilio's own log has each request with the number and the text in it.
_SILENT = logging.Logger("silent", logging.CRITICAL + 1)


def _error(why: TwilioRestException) -> Exception:
    """What the caller does next; https://www.twilio.com/docs/api/errors has the codes."""
    words = f"Twilio: {why.status}, code {why.code}" if why.code else f"Twilio: {why.status}"
    if why.status in (408, 425, 429) or why.status >= 500:
        return RetryableError(words)
    if why.status in (401, 403):
        return FatalError(f"{words}; check account and token")
    return RejectedError(words)
