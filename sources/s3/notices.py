"""What a queue says about new objects: S3's notifications, by themselves, by SNS, or by EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec

from ...plugins import NOT_JSON


class Named(NamedTuple):
    """An object."""

    bucket: str
    key: str


def read_notice(body: str) -> list[Named] | None:
    """The objects that a message says were made; none of a test or of another event. None: it is no such message.

    >>> read_notice('{"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}}')
    [Named(bucket='b', key='k')]
    """
    try:
        return _objects(msgspec.json.decode(body))
    except (*NOT_JSON, KeyError, TypeError, AttributeError):
        return None


def _objects(message: Any) -> list[Named]:
    if message.get("Type") == "Notification" and "Message" in message:
        message = msgspec.json.decode(message["Message"])
    if message.get("Event") == "s3:TestEvent":
        return []
    if "detail-type" in message:
        detail: Mapping[str, Any] = message["detail"]
        made = message["detail-type"] == "Object Created"
        return [Named(str(detail["bucket"]["name"]), str(detail["object"]["key"]))] if made else []
    return [
        Named(str(record["s3"]["bucket"]["name"]), unquote_plus(record["s3"]["object"]["key"]))
        for record in message["Records"]
        if str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated")
    ]
