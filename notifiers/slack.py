"""A message in a Slack channel.

    oncall: {type: slack, token: "${SLACK_TOKEN}", channel: "#ops"}

The token is a bot's (`xoxb-…`) with the scope `chat:write`; the bot must have been invited to the channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from pydantic import SecretStr

from ..plugins import (
    Duration,
    FatalError,
    Notification,
    Notifier,
    PluginConfig,
    RejectedError,
    RetryableError,
    duration_ns,
    headline,
    hookimpl,
    sample_messages,
    state_or_level,
)

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

# https://docs.slack.dev/reference/methods/chat.postMessage, "Errors"
TEMPORARY = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
ACCESS = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
COLOURS = {"resolved": "#2e8540", "FATAL": "#7a0c0c", "ERROR": "#c9302c", "WARN": "#d98d00"}
MAX_TEXT = 3_000  # characters of one section of a message: Slack refuses longer ones


class SlackConfig(PluginConfig):
    """Settings of the Slack notifier."""

    token: SecretStr
    """The bot's token."""
    channel: str
    """Name (`#ops`) or id of the channel."""
    api_url: str = "https://slack.com/api/"
    """Slack's API; another address for GovSlack or a proxy."""
    timeout: Duration = "10s"
    """How long to wait for Slack's answer."""


class Slack(Notifier[SlackConfig]):
    """A message in a Slack channel, with samples and the link."""

    async def notify(self, notification: Notification) -> str:
        """Post it once; answers the channel's id and the message's time stamp.

        :raises RetryableError: Slack does not answer, has a fault, or asks to wait
        :raises FatalError: the token is not (or no more) allowed to do this
        :raises RejectedError: Slack refuses this message, or knows no such channel
        """
        import aiohttp  # these are slow to import, and a node may have no such notifier
        from slack_sdk.errors import SlackApiError
        from slack_sdk.web.async_client import AsyncWebClient

        seconds = duration_ns(self.config.timeout) / 1e9
        client = AsyncWebClient(
            token=self.config.token.get_secret_value(),
            base_url=self.config.api_url.rstrip("/") + "/",
            timeout=max(1, round(seconds)),
            retry_handlers=[],  # retries are the outbox's, which keeps every answer
            trust_env_in_session=True,
        )
        try:
            with anyio.fail_after(seconds):
                answer = await client.chat_postMessage(
                    channel=self.config.channel,
                    text=escaped(headline(notification)),
                    attachments=[{"color": _colour(notification), "blocks": _blocks(notification)}],
                    metadata={
                        "event_type": "cordwood_incident",
                        "event_payload": {
                            "delivery_id": notification.delivery_id,
                            "incident_id": notification.incident_id,
                        },
                    },
                    unfurl_links=False,
                )
        except SlackApiError as why:
            raise _error(why) from None
        except TimeoutError:
            raise RetryableError(f"no answer within {self.config.timeout}") from None
        except (aiohttp.ClientError, OSError) as why:
            raise RetryableError(f"no connection: {type(why).__name__}") from None
        return f"posted {answer.get('channel', '')} {answer.get('ts', '')}".strip()


def escaped(text: str) -> str:
    """Text in which Slack sees no markup of ours.

    >>> escaped("a < b & <!channel>")
    'a &lt; b &amp; &lt;!channel&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _colour(notification: Notification) -> str:
    return COLOURS.get(state_or_level(notification), "#4a6785")


def _blocks(notification: Notification) -> list[dict[str, Any]]:
    parts = [escaped(headline(notification))]
    samples = [escaped(message).replace("```", "'''") for message in sample_messages(notification)]
    room = MAX_TEXT - len(parts[0]) - 20
    text = "\n".join(samples)[: max(0, room)]
    if text:
        parts.append(f"```{text}```")
    parts.append(f"<{notification.link}|Incident {notification.incident_id}>")
    return [{"type": "section", "text": {"type": "mrkdwn", "text": part[:MAX_TEXT]}} for part in parts]


def _error(why: SlackApiError) -> Exception:
    """What the caller does next; only Slack's own word for the error is kept."""
    response: Any = why.response
    word = str(response.get("error") or "no reason") if hasattr(response, "get") else "no reason"
    status = int(getattr(response, "status_code", 0) or 0)
    if status in (429, 408) or status >= 500 or word in TEMPORARY:
        asked = (getattr(response, "headers", None) or {}).get("Retry-After", "")
        after = float(asked) if str(asked).isdigit() else None
        return RetryableError(f"Slack: {word} ({status})", after=after)
    if word in ACCESS:
        return FatalError(f"Slack: {word}; check the token and its scopes")
    return RejectedError(f"Slack: {word}")


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Slack]
