"""A message in a topic of Amazon SNS, for whoever subscribes to it: queues, functions, mail, telephones.

    topic: {type: sns, topic: "arn:aws:sns:eu-central-1:123456789012:alerts"}

The extra `cordwood[aws]` brings boto3, which takes its keys from where it finds them: the role of the task, function or
machine, or AWS_ACCESS_KEY_ID. The role needs `sns:Publish` for the topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any

import anyio.to_thread
from pydantic import Field

from ..plugins import (
    Duration,
    FatalError,
    HttpAddress,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    RejectedError,
    RetryableError,
    duration_ns,
    headline,
    hookimpl,
    incident_key,
    plain_text,
    url_reachable,
)

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_SUBJECT, MAX_MESSAGE = 99, 200_000  # characters of ASCII; bytes, of which 262,144 are taken with the attributes
MAX_GROUP = 128
ACCESS = frozenset(
    {
        "AccessDenied",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ExpiredToken",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSecurityException",
        "SignatureDoesNotMatch",
    }
)


class SnsConfig(NotifierConfig):
    """Settings of the SNS notifier."""

    topic: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$")]
    """The topic's ARN, which says the region. In a FIFO topic (`.fifo`) a message that is sent twice appears once."""
    endpoint: HttpAddress | None = None
    """Address of a server that speaks SNS's protocol; not set: Amazon's of the region."""
    timeout: Duration = "10s"
    """How long to wait for the answer."""


class Sns(Notifier[SnsConfig]):
    """A message in a topic of Amazon SNS, with what filter policies choose by as its attributes."""

    def needs(self) -> Sequence[Need]:
        """SNS's host in the region, and keys."""
        region = self.config.topic.split(":")[3]
        host = self.config.endpoint or f"https://sns.{region}.amazonaws.com"

        async def keys(_: AsyncExitStack) -> str:
            await anyio.to_thread.run_sync(_credentials, abandon_on_cancel=True)
            return ""

        return [Need("topic", "find keys of AWS", keys), url_reachable("endpoint", host)]

    async def notify(self, notification: Notification) -> str:
        """Publish it once; answers the message's id.

        :raises RetryableError: SNS does not answer, has a fault, or asks to wait
        :raises FatalError: boto3 is not installed, or the keys are not (or no more) allowed to do this
        :raises RejectedError: SNS refuses this message, or knows no such topic
        """
        # The thread cannot be stopped, but it ends by itself: the answer is waited for `timeout` at most.
        return await anyio.to_thread.run_sync(self._publish, notification, abandon_on_cancel=True)

    def _publish(self, notification: Notification) -> str:
        try:
            import boto3  # slow to import, and a node may have no such notifier
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
        except ImportError:
            raise FatalError("the notifier sns needs boto3: pip install 'cordwood[aws]'") from None
        config, seconds = self.config, duration_ns(self.config.timeout) / 1e9
        patience = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
        endpoint = config.endpoint.get_secret_value() if config.endpoint else None
        try:
            # A session of its own: the one that boto3 keeps for all is not for several threads.
            client = boto3.session.Session().client(
                "sns", region_name=config.topic.split(":")[3], endpoint_url=endpoint, config=patience
            )
            try:
                answer = client.publish(TopicArn=config.topic, **message(notification, config.topic))
            finally:
                client.close()
        except ClientError as why:
            raise _error(why.response) from None
        except NoCredentialsError:
            raise FatalError("SNS: boto3 finds no keys; give the machine a role, or set AWS_ACCESS_KEY_ID") from None
        except (BotoCoreError, OSError) as why:
            raise RetryableError(f"no answer: {type(why).__name__}") from None
        return f"published {answer.get('MessageId', '')}".strip()


def _credentials() -> None:
    """:raises FatalError: boto3 is not installed, or finds no keys"""
    try:
        import boto3
    except ImportError:
        raise FatalError("the notifier sns needs boto3: pip install 'cordwood[aws]'") from None
    if boto3.session.Session().get_credentials() is None:
        raise FatalError("SNS: boto3 finds no keys; give the machine a role, or set AWS_ACCESS_KEY_ID")


def message(notification: Notification, topic: str) -> dict[str, Any]:
    """The parameters of a call of Publish."""
    subject = "".join(letter if " " <= letter <= "~" else " " for letter in headline(notification)).strip()
    text = plain_text(notification).encode()[:MAX_MESSAGE].decode("utf-8", "ignore")
    attributes = {
        "event": notification.event,
        "severity": notification.severity,
        "detector": notification.detector[:256],
        "project": notification.project,
        "incident": str(notification.incident_id or ""),
        "delivery_id": notification.delivery_id,
    }
    made: dict[str, Any] = {
        "Subject": subject[:MAX_SUBJECT] or "Cordwood",
        "Message": text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }
    if topic.endswith(".fifo"):
        made["MessageGroupId"] = incident_key(notification)[:MAX_GROUP]
        made["MessageDeduplicationId"] = notification.delivery_id
    return made


def _error(response: dict[str, Any]) -> Exception:
    """What the caller does next; only SNS's own word for the error is kept."""
    code = str(response.get("Error", {}).get("Code", ""))[:80]
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    if status in (408, 429) or status >= 500 or "Throttl" in code:
        asked = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
        return RetryableError(f"SNS: {code} ({status})", after=float(asked) if asked.isdigit() else None)
    if code in ACCESS:
        return FatalError(f"SNS: {code}; check the role's policy and the keys")
    return RejectedError(f"SNS: {code} ({status})")


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Sns]
