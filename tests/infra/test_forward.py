"""The forwarder with events as AWS sends them, a real server, and S3 by moto."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import zstandard
from cordwood.infra.aws.functions import objects
from cordwood.infra.aws.functions.forward import handler
from cordwood.plugins import RejectedError, RetryableError

from ..conftest import Server, free_port
from .conftest import REGION, Context


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cluster: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("forward") / "data"
    server = Server(folder, cluster=cluster)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def forwards(shared: Server, aws: Any, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server that the handler sends to."""
    secret = aws("secretsmanager").create_secret(Name=uuid4().hex, SecretString="a-token")
    monkeypatch.setenv("CORDWOOD_URL", shared.url)
    monkeypatch.setenv("CORDWOOD_TOKEN_SECRET", secret["ARN"])
    return shared


def subscription(group: str, *messages: str, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """An event of a CloudWatch Logs subscription."""
    told = {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": group,
        "logStream": "2026/01/31/[$LATEST]7f2e",
        "subscriptionFilters": ["to-cordwood"],
        "logEvents": [
            {"id": f"3695{i}", "timestamp": 1_769_860_800_000 + i, "message": text} for i, text in enumerate(messages)
        ],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(told).encode(), mtime=0)).decode()}}


def put(bucket: str, key: str) -> dict[str, Any]:
    """A notification of S3: an object was put."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": "2026-01-31T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "logs",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": 1, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0055AED6DCD9"},
        },
    }
    return {"Records": [record]}


def by_sns(event: dict[str, Any]) -> dict[str, Any]:
    topic = f"arn:aws:sns:{REGION}:123456789012:logs"
    sns = {"Type": "Notification", "MessageId": uuid4().hex, "TopicArn": topic, "Message": json.dumps(event)}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": topic, "Sns": sns}]}


def by_sqs(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{i}",
                "receiptHandle": "AQEB",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:logs",
                "awsRegion": REGION,
            }
            for i, body in enumerate(bodies)
        ]
    }


@pytest.fixture
def bucket_name(aws: Any) -> str:
    name = f"logs-{uuid4().hex[:12]}"
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def test_a_subscription_is_stored_once(forwards: Server) -> None:
    event = subscription("/aws/lambda/pay", "card declined", '{"level": "error", "message": "boom", "order": 7}')
    for _ in range(2):  # Lambda calls again where it is not sure
        assert handler(event, Context()) == {}
    found = forwards.query('logGroup:"/aws/lambda/pay" | sort timestamp')
    assert len(found) == 2
    assert found[0]["message"] == "card declined"
    assert found[0]["timestamp"].startswith("2026-01-31T12:00:00")
    assert found[0]["logStream"] == "2026/01/31/[$LATEST]7f2e"


def test_a_control_message_is_nothing(forwards: Server) -> None:
    assert handler(subscription("/control", "CWL CONTROL MESSAGE", kind="CONTROL_MESSAGE"), Context()) == {}
    assert forwards.query("logGroup:/control") == []


PACKINGS = {"plain": lambda data: data, "gz": gzip.compress, "zst": zstandard.compress}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("wrap", [pytest.param(lambda event: event, id="s3"), pytest.param(by_sns, id="sns")])
def test_an_object_however_packed(forwards: Server, aws: Any, bucket_name: str, packing: str, wrap: Any) -> None:
    key = "app log/2026+01.ndjson"
    lines = b"".join(json.dumps({"message": f"line {i}", "n": i}).encode() + b"\n" for i in range(100))
    aws("s3").put_object(Bucket=bucket_name, Key=key, Body=PACKINGS[packing](lines))
    event = wrap(put(bucket_name, "app+log/2026%2B01.ndjson"))
    for _ in range(2):
        assert handler(event, Context()) == {}
    (found,) = forwards.query(f"service:{bucket_name} | stats count() as n, sum(n) as total")
    assert (found["n"], found["total"]) == (100, 4950)


def test_a_large_object_of_text_goes_in_parts(
    forwards: Server, aws: Any, bucket_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "BODY_BYTES", 1000)
    monkeypatch.setattr(objects, "LINE_BYTES", 300)
    text = b"\n".join([b"first line", *(b"line %d" % i for i in range(500)), b"x" * 650, b"the last has no end"])
    aws("s3").put_object(Bucket=bucket_name, Key="big.log", Body=text)
    handler(put(bucket_name, "big.log"), Context())
    (found,) = forwards.query(f"service:{bucket_name} | stats count() as n")
    assert found["n"] == 505, "of 503 lines one is cut into three"
    assert forwards.query(f'service:{bucket_name} "the last has no end" | stats count() as n') == [{"n": 1}]


def test_of_a_batch_only_what_failed_comes_again(forwards: Server, aws: Any, bucket_name: str) -> None:
    aws("s3").put_object(Bucket=bucket_name, Key="good", Body=b"well\n")
    aws("s3").put_object(Bucket=bucket_name, Key="cut.gz", Body=gzip.compress(b"well\n" * 1000)[:-9])
    event = by_sqs(
        json.dumps(put(bucket_name, "good")),
        json.dumps(put(bucket_name, "missing")),
        "no JSON",
        json.dumps(put(bucket_name, "cut.gz")),
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket_name}),
        json.dumps(by_sns(put(bucket_name, "good"))["Records"][0]["Sns"]),
    )
    failed = handler(event, Context())["batchItemFailures"]
    assert [item["itemIdentifier"] for item in failed] == ["message-1", "message-2", "message-3"]
    assert forwards.query(f"service:{bucket_name} well | stats count() as n") == [{"n": 1}]


@pytest.mark.parametrize("event", [{}, {"Records": [{"eventSource": "aws:kinesis"}]}, {"detail-type": "x"}])
def test_an_event_of_another_shape_is_refused(forwards: Server, event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"neither of CloudWatch Logs|not of S3"):
        handler(event, Context())


class Answers(BaseHTTPRequestHandler):
    """A server that is busy twice, and then says 413."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        seen: list[Any] = self.server.seen  # type: ignore[attr-defined]
        seen.append((self.headers["Authorization"], self.headers["X-Amz-Firehose-Request-Id"]))
        self.send_response(413 if len(seen) > 2 else 503)
        if len(seen) == 1:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_the_same_again_until_it_is_refused(forwards: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", free_port()), Answers) as server, ThreadPoolExecutor(1) as thread:
        server.seen = []  # type: ignore[attr-defined]
        thread.submit(server.serve_forever)
        monkeypatch.setenv("CORDWOOD_URL", f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(RejectedError, match="/aws/firehose is refused: 413"):
            handler(subscription("/again", "x"), Context())
        with pytest.raises(RejectedError, match="413"):
            handler(subscription("/again", "x"), Context())
        server.shutdown()
        assert len(server.seen) == 4  # type: ignore[attr-defined]
        assert len(set(server.seen)) == 1  # type: ignore[attr-defined]
        assert server.seen[0][0] == "Bearer a-token"  # type: ignore[attr-defined]


def test_not_for_ever(forwards: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORDWOOD_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RetryableError, match="is not taken yet: ConnectError"):
        handler(subscription("/gone", "x"), Context(seconds=6))
