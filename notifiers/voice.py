"""A telephone call by Twilio.

    night: {type: voice, account_sid: "AC…", auth_token: "${TWILIO_TOKEN}", sender: "+15005550006", to: "+491701234567"}

A voice says the headline. Nobody is called because something is over, unless `resolved` is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ..plugins import Need, Notification, Notifier, headline, hookimpl, url_reachable
from .twilio import TwilioConfig, ask, phone

MAX_SAID = 600  # characters: about forty seconds
PAUSE_S = 1


class VoiceConfig(TwilioConfig):
    """Settings of the telephone call notifier."""

    sender: Annotated[str, AfterValidator(phone)]
    """Twilio number that calls."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en-GB"
    """The voice's language, such as `en-US` or `de-DE`."""
    repeat: Annotated[int, Field(ge=1, le=5)] = 2
    """How often it is said."""
    resolved: bool = False
    """Whether to call when an incident is resolved, too."""


class Voice(Notifier[VoiceConfig]):
    """A telephone call that says the headline."""

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("api_url", self.config.api_url)]

    async def notify(self, notification: Notification) -> str:
        """Have Twilio call once; answers the call's status and Twilio's id of it. For the errors see `ask`."""
        config = self.config
        if notification.event == "resolved" and not config.resolved:
            return "nobody is called because it is over"
        said = twiml(notification, config)
        return await ask(
            config, lambda client: client.calls.create_async(to=config.to, from_=config.sender, twiml=said)
        )

    def preview(self, notification: Notification) -> str:
        """What is said."""
        over = notification.event == "resolved" and not self.config.resolved
        return "(nobody is called because it is over)" if over else spoken(notification)


def spoken(notification: Notification) -> str:
    """The headline, without what a voice would stumble over."""
    line = "".join(
        letter if letter.isprintable() and letter not in "[]{}_|<>" else " " for letter in headline(notification)
    )
    return f"Cordwood. {' '.join(line.split())}"[:MAX_SAID]


def twiml(notification: Notification, config: VoiceConfig) -> str:
    """What Twilio does in the call, in its markup: https://www.twilio.com/docs/voice/twiml."""
    from twilio.twiml.voice_response import VoiceResponse  # slow to import

    response = VoiceResponse()
    for number in range(config.repeat):
        if number:
            response.pause(length=PAUSE_S)
        response.say(spoken(notification), language=config.language)
    return str(response)


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Voice]
