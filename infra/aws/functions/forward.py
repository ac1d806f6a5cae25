"""Forwards logs that are on AWS already: CloudWatch Logs subscriptions, and objects that are put in S3.

Events are taken in these shapes: a subscription's message; a notification of S3, by itself, by SNS, or in messages of
SQS. Of a batch from SQS those messages come again that failed, and no others (`batchItemFailures`); any other event
fails as a whole, and Lambda calls again. What comes again is stored once: each request has a key that follows from what
it holds. CORDWOOD_URL is where to, and CORDWOOD_TOKEN_SECRET the secret with the token.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from ....config import AwsSecrets
from .objects import bodies
from .sending import Sender

_log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Forward everything that the event tells of.

    :raises RetryableError: Cordwood or S3 does not answer: Lambda is to call again
    :raises RejectedError: Cordwood refuses it, as it would again
    :raises ValueError: the event is of no known shape
    """
    token = AwsSecrets().value(os.environ["CORDWOOD_TOKEN_SECRET"])
    deadline_s = context.get_remaining_time_in_millis() / 1000 - 5
    with Sender(os.environ["CORDWOOD_URL"], token, deadline_s) as sender:
        return _forwarded(event, sender)


def _forwarded(event: Mapping[str, Any], sender: Sender) -> dict[str, Any]:
    if "awslogs" in event:
        _subscription(event["awslogs"]["data"], sender)
        return {}
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError(f"the event is neither of CloudWatch Logs, S3, SNS nor SQS: its keys are {sorted(event)}")
    messages = [record for record in records if record.get("eventSource") == "aws:sqs"]
    if not messages:
        _objects(records, sender)
        return {}
    failed = []
    for message in messages:
        try:
            _objects(_told(json.loads(message["body"])), sender)
        except Exception as why:  # whatever it is: this message comes again, and is put aside after some times
            _log.error("message %s is not forwarded: %s: %s", message["messageId"], type(why).__name__, why)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def _subscription(data: str, sender: Sender) -> None:
    """As Data Firehose would deliver it: the source aws_firehose unpacks it."""
    name = hashlib.sha256(data.encode()).hexdigest()
    delivery = {"requestId": name, "timestamp": 0, "records": [{"data": data}]}
    headers = {"Content-Type": "application/json", "X-Amz-Firehose-Request-Id": name}
    sender.post("/aws/firehose", json.dumps(delivery).encode(), headers)


def _objects(records: Sequence[Mapping[str, Any]], sender: Sender) -> None:
    for name, key, version in _put(records):
        for number, body in enumerate(bodies(name, key, version)):
            identity = f"{name}\n{key}\n{version or ''}\n{number}\n".encode() + body.data
            headers = {
                "Content-Type": body.media_type,
                "Idempotency-Key": f"s3-{hashlib.sha256(identity).hexdigest()}",
            }
            sender.post("/api/v1/logs", body.data, headers, params={"service": name})


def _told(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The records of a message of SQS, which S3 has sent, or SNS with what S3 has sent it."""
    if body.get("Type") == "Notification" and "TopicArn" in body:
        body = json.loads(body["Message"])
    records: Sequence[Mapping[str, Any]] = body.get("Records", ())
    return records


def _put(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str | None]]:
    """(bucket, key, version) of each object that was put; what SNS wraps is unwrapped."""
    for record in records:
        if record.get("EventSource") == "aws:sns":
            yield from _put(json.loads(record["Sns"]["Message"]).get("Records", ()))
        elif record.get("eventSource") == "aws:s3":
            if record["eventName"].startswith("ObjectCreated:"):
                told = record["s3"]
                yield told["bucket"]["name"], unquote_plus(told["object"]["key"]), told["object"].get("versionId")
        else:
            raise ValueError(f"a record is of {record.get('eventSource') or record.get('EventSource')}, not of S3")
