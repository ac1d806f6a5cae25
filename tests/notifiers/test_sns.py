"""Messages in a topic of moto's SNS, read from a queue that subscribes to it; and a server that answers as SNS does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from cordwood.notifiers.sns import Sns, SnsConfig, message
from cordwood.plugins import FatalError, Notification, RejectedError, RetryableError, plain_text
from cordwood.plugins.conformance import notifier_contract
from cordwood.plugins.conformance_notifier import LocalServer
from pydantic import ValidationError

from ..conftest import free_port
from ..objectstore import S3Server

pytestmark = pytest.mark.anyio
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")


class SnsServer(LocalServer):
    """Answers in the XML of SNS."""

    def __init__(self) -> None:
        super().__init__(lambda url: {"topic": TOPIC, "endpoint": url, "timeout": "5s"})

    def body(self) -> bytes:
        namespace = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
        if self.behaviour == "success":
            said = "<PublishResult><MessageId>m-1</MessageId></PublishResult>"
            return f"<PublishResponse {namespace}>{said}</PublishResponse>".encode()
        code = "InvalidParameter" if self.behaviour == "permanent" else "InternalError"
        return f"<ErrorResponse {namespace}><Error><Code>{code}</Code></Error></ErrorResponse>".encode()


test_contract = notifier_contract(Sns, server=SnsServer)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = S3Server(free_port(), tmp_path_factory.mktemp("moto") / "log")
    yield server.url
    server.stop()


class Subscribed:
    """A topic, and a queue that gets its messages as they are."""

    def __init__(self, url: str, name: str) -> None:
        sns, self.sqs = (boto3.client(one, endpoint_url=url, region_name="eu-central-1") for one in ("sns", "sqs"))
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def got(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


async def test_a_subscriber_gets_it(moto: str, notification: Notification) -> None:
    subscribed = Subscribed(moto, "alerts")
    answer = await Sns(SnsConfig(topic=subscribed.topic, endpoint=moto)).notify(notification)
    (got,) = subscribed.got()
    assert answer == f"published {got['MessageId']}"
    assert got["Subject"] == '[ERROR] errors: n = 62 (n > 50) for service "pay"'
    assert got["Message"] == plain_text(notification)
    assert {name: one["Value"] for name, one in got["MessageAttributes"].items()} == {
        "event": "opened", "severity": "ERROR", "detector": "errors", "project": "default", "incident": "7",
        "delivery_id": notification.delivery_id,
    }  # fmt: skip


def test_a_fifo_topic_is_told_what_is_the_same(notification: Notification) -> None:
    said = message(notification, f"{TOPIC}.fifo")
    assert (said["MessageGroupId"], said["MessageDeduplicationId"]) == ("cordwood/default/7", notification.delivery_id)
    assert "MessageGroupId" not in message(notification, TOPIC)


async def test_no_such_topic(moto: str, notification: Notification) -> None:
    with pytest.raises(RejectedError, match="SNS: NotFound"):
        await Sns(SnsConfig(topic=f"{TOPIC}-gone", endpoint=moto)).notify(notification)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AuthorizationError", FatalError),
        (403, "InvalidClientTokenId", FatalError),
        (400, "InvalidParameter", RejectedError),
        (400, "Throttling", RetryableError),
        (500, "InternalError", RetryableError),
    ],
)
async def test_errors(receiver: Any, notification: Notification, status: int, code: str, kind: type[Exception]) -> None:
    receiver.status = status
    receiver.body = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>hush-hush</Message></Error></ErrorResponse>".encode()
    )
    with pytest.raises(kind, match=f"SNS: {code}") as caught:
        await Sns(SnsConfig(topic=TOPIC, endpoint=receiver.url)).notify(notification)
    assert "hush" not in str(caught.value)


async def test_without_keys(receiver: Any, notification: Notification, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(Path("/nonexistent")))
    with pytest.raises(FatalError, match="finds no keys"):
        await Sns(SnsConfig(topic=TOPIC, endpoint=receiver.url)).notify(notification)


async def test_what_sns_would_refuse_is_cut(notification: Notification) -> None:
    said = message(replace(notification, title="ü\n" + "x" * 500, samples=[], text="é" * 300_000), TOPIC)
    assert said["Subject"].isascii()
    assert said["Subject"].isprintable()
    assert len(said["Subject"]) < 100
    assert len(said["Message"].encode()) <= 200_000


@pytest.mark.parametrize("topic", ["alerts", "arn:aws:sqs:eu-central-1:123456789012:alerts", f"{TOPIC}/x"])
def test_what_is_no_topic(topic: str) -> None:
    with pytest.raises(ValidationError):
        SnsConfig(topic=topic)
