"""A message in a Slack channel.

    oncall: {type: slack, token: "${SLACK_TOKEN}", channel: "#ops"}

The token is a bot's (`xoxb-…`) with the scope `chat:write`; the bot must have been invited to the channel. With the
app's `signing_secret`, messages have a button that acknowledges: set the app's request URL for interactivity to
`https://cordwood.example.org/api/v1/slack/actions`.

What follows on an incident's first message is a reply in its thread, and the first message changes with it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import anyio
import msgspec
from pydantic import SecretStr

from ..plugins import (
    Duration,
    FatalError,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    Pressed,
    RejectedError,
    RetryableError,
    bars_text,
    duration_ns,
    headline,
    hookimpl,
    sample_messages,
    state_or_level,
    url_reachable,
)

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

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
_POSTED = re.compile(r"posted (\w+) (\d+\.\d+)")
ACTION = "cordwood_acknowledge"
MAX_AGE_S = 300  # of a signature: what is older may be a copy that somebody sends again
MAX_TEXT = 3_000  # characters of one section of a message: Slack refuses longer ones


class SlackConfig(NotifierConfig):
    """Settings of the Slack notifier."""

    token: SecretStr
    """The bot's token."""
    channel: str
    """Name (`#ops`) or id of the channel."""
    signing_secret: SecretStr | None = None
    """The app's signing secret, by which Slack's requests are known; not set: a link instead of a button."""
    api_url: str = "https://slack.com/api/"
    """Slack's API; another address for GovSlack or a proxy."""
    timeout: Duration = "10s"
    """How long to wait for Slack's answer."""


class Slack(Notifier[SlackConfig]):
    """A message in a Slack channel, with chart, samples, the link, and a way to acknowledge."""

    shows_chart = True

    def __init__(self, config: SlackConfig, clock: Callable[[], float] = time.time) -> None:
        super().__init__(config)
        self._clock = clock

    def needs(self) -> Sequence[Need]:
        """The host that it tells."""
        return [url_reachable("api_url", self.config.api_url)]

    async def notify(self, notification: Notification) -> str:
        """Post it once; answers the channel's id and the message's time stamp.

        What follows on an incident's first message is a reply in its thread, and the first one shows what is so now.

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
        ids = {"delivery_id": notification.delivery_id, "incident_id": notification.incident_id}
        try:
            with anyio.fail_after(seconds):
                answer = await client.chat_postMessage(
                    text=escaped(headline(notification)),
                    attachments=[{"color": colour_of(notification), "blocks": self._blocks(notification)}],
                    metadata={"event_type": "cordwood_incident", "event_payload": ids},
                    unfurl_links=False,
                    **await self._place(client, notification),
                )
        except SlackApiError as why:
            raise _error(why) from None
        except TimeoutError:
            raise RetryableError(f"no answer within {self.config.timeout}") from None
        except (aiohttp.ClientError, OSError) as why:
            raise RetryableError(f"no connection: {type(why).__name__}") from None
        return f"posted {answer.get('channel', '')} {answer.get('ts', '')}".strip()

    async def _place(self, client: AsyncWebClient, notification: Notification) -> dict[str, Any]:
        """Where the message goes: below the first one, which is changed before: a second attempt may do that again.

        Into the channel where there is no first one, or none that may be changed any more.
        """
        from slack_sdk.errors import SlackApiError

        first = _POSTED.match(notification.first)
        if first is None:
            return {"channel": self.config.channel}
        channel, ts = first.groups()
        try:
            await client.chat_update(
                channel=channel,
                ts=ts,
                text=escaped(headline(notification)),
                attachments=[
                    {"color": colour_of(notification), "blocks": self._blocks(notification, with_samples=True)}
                ],
            )
        except SlackApiError as why:
            if isinstance(error := _error(why), RetryableError):
                raise error from None
            return {"channel": self.config.channel}
        return {"channel": channel, "thread_ts": ts, "reply_broadcast": notification.event != "resolved"}

    def pressed(self, headers: Mapping[str, str], body: bytes) -> Pressed | None:
        """The button that was pressed, if Slack signed the request in the last five minutes."""
        if self.config.signing_secret is None:
            return None
        stamp = headers.get("x-slack-request-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15):
            return None
        if abs(self._clock() - int(stamp)) > MAX_AGE_S:
            return None
        expected = signature(self.config.signing_secret.get_secret_value(), stamp, body)
        if not hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode()):
            return None
        return _pressed(body)

    def _blocks(self, notification: Notification, *, with_samples: bool = False) -> list[dict[str, Any]]:
        blocks = _blocks(notification, with_samples=with_samples)
        if notification.acknowledge and self.config.signing_secret is not None:
            text = {"type": "plain_text", "text": "Acknowledge"}
            token = notification.acknowledge.rpartition("/")[2]
            button = {"type": "button", "action_id": ACTION, "text": text, "value": token}
            blocks.append({"type": "actions", "elements": [button]})
        elif notification.acknowledge:
            blocks[-1]["text"]["text"] += f" · <{notification.acknowledge}|Acknowledge>"
        return blocks


def signature(secret: str, stamp: str, body: bytes) -> str:
    """The value of `X-Slack-Signature`: https://docs.slack.dev/authentication/verifying-requests-from-slack.

    >>> signature("s3cret", "1700000000", b"payload=%7B%7D")[:14]
    'v0=63e1372e8b7'
    """
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()


def _pressed(body: bytes) -> Pressed:
    """The button in the body, a form with `payload`; one with empty names where it is another kind of action."""
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=100).get("payload", ["{}"])
        said = msgspec.json.decode(found[0], type=_Said)
    except (msgspec.MsgspecError, ValueError):
        said = _Said()
    token = next((one.value for one in said.actions if one.action_id == ACTION), "")
    return Pressed(token, said.user.username or said.user.name or said.user.id)


class _User(msgspec.Struct, frozen=True):
    id: str = ""
    username: str = ""
    name: str = ""


class _Action(msgspec.Struct, frozen=True):
    action_id: str = ""
    value: str = ""


class _Said(msgspec.Struct, frozen=True):
    user: _User = _User()
    actions: tuple[_Action, ...] = ()


def escaped(text: str) -> str:
    """Text in which Slack sees no markup of ours.

    >>> escaped("a < b & <!channel>")
    'a &lt; b &amp; &lt;!channel&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def colour_of(notification: Notification) -> str:
    """By state and severity."""
    return COLOURS.get(state_or_level(notification), "#4a6785")


def _blocks(notification: Notification, *, with_samples: bool) -> list[dict[str, Any]]:
    """The sections; `with_samples` also where it is resolved."""
    parts = [escaped(headline(notification))]
    if (chart := notification.chart) is not None:
        times = f"{chart.begin[:10]} {chart.begin[11:16]} to {chart.end[11:16]} UTC"
        parts.append(f"`{bars_text(chart.counts)}` {times}, at most {max(chart.counts, default=0):,}")
    of = replace(notification, event="opened") if with_samples else notification
    samples = [escaped(message).replace("```", "'''") for message in sample_messages(of)]
    room = MAX_TEXT - len(parts[0]) - 20
    text = "\n".join(samples)[: max(0, room)]
    if text:
        parts.append(text if notification.words else f"```{text}```")
    label = f"Incident {notification.incident_id}" if notification.incident_id else "Open in Cordwood"
    parts.append(f"<{notification.link}|{label}>")
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
