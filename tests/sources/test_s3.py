"""Objects of a real S3 server (moto's), by its queue and by its list; and what may stand in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import anyio
import pytest
import zstandard
from cordwood.plugins import FatalError, RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import s3
from cordwood.sources.s3 import S3, S3Config, content
from cordwood.sources.s3.notices import Named, read_notice

from ..objectstore import KEYS, Bucket, S3Server
from .listening import listening, messages, until

pytestmark = pytest.mark.anyio
TRAIL = {"Records": [{"eventTime": "2026-01-31T12:00:00Z", "eventName": "RunInstances", "awsRegion": "eu-central-1",
                      "eventSource": "ec2.amazonaws.com", "userIdentity": {"type": "Root"}}]}  # fmt: skip


def source(where: Bucket, **given: Any) -> S3:
    shared = {"endpoint": where.url, "region": "us-east-1", **KEYS, "every": "20ms"}
    return S3(S3Config(**(shared | ({} if "queue" in given else {"bucket": where.name}) | given)))


def put(bucket: Bucket, key: str, body: bytes | str) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)


@contextmanager
def notified(bucket: Bucket) -> Iterator[str]:
    """The address of a queue to which the bucket's notifications go."""
    made = client(bucket)
    url = made.create_queue(QueueName=f"test-{uuid4().hex[:12]}")["QueueUrl"]
    arn = made.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bucket.client.put_bucket_notification_configuration(
        Bucket=bucket.name,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    yield url
    made.delete_queue(QueueUrl=url)
    made.close()


@pytest.fixture
def queue(bucket: Bucket) -> Iterator[str]:
    with notified(bucket) as url:
        yield url


def client(bucket: Bucket) -> Any:
    import boto3

    keys = {f"aws_{name}": value for name, value in KEYS.items()}
    return boto3.client("sqs", endpoint_url=bucket.url, region_name="us-east-1", **keys)


def left(bucket: Bucket, queue: str) -> int:
    """Messages in the queue, those that somebody works on among them."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    made = client(bucket)
    found = made.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    made.close()
    return sum(int(found[name]) for name in names)


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [
        pytest.param(b"a\r\nb\n\nc", {}, ["a", "b", "c"], id="lines"),
        pytest.param(b'{"message": "a"}\n{"message": "b"}\n', {}, ["a", "b"], id="ndjson"),
        pytest.param(b' [{"message": "a"},\n {"message": "b"}]', {}, ["a", "b"], id="array"),
        pytest.param(b"[error] disk full\n", {}, ["[error] disk full"], id="no array"),
        pytest.param(json.dumps(TRAIL, indent=2).encode(), {}, ["RunInstances"], id="trail"),
        pytest.param(gzip.compress(b"a\nb\n"), {}, ["a", "b"], id="gzip"),
        pytest.param(zstandard.compress(b'{"message": "a"}\n'), {}, ["a"], id="zstd"),
        pytest.param(b'{"message": "a"}\n', {"format": "lines"}, ['{"message": "a"}'], id="told"),
        pytest.param(b'{\n"message": "a"\n}', {"format": "json"}, ["a"], id="object"),
        pytest.param(b"", {}, [], id="empty"),
    ],
)
async def test_contents(bucket: Bucket, body: bytes, given: dict[str, Any], expected: list[str]) -> None:
    put(bucket, "logs/a b+c", body)
    async with listening(made := source(bucket, prefix="logs/", **given)) as store:
        await until(lambda: made.counts["objects"])
        found = await messages(store, len(expected))
    assert store.lines == expected
    assert {(event["aws.s3.bucket"], event["aws.s3.key"]) for event in found} <= {(bucket.name, "logs/a b+c")}


async def test_a_trail_of_events(bucket: Bucket) -> None:
    put(bucket, "trail.json.gz", gzip.compress(json.dumps(TRAIL).encode()))
    async with listening(source(bucket)) as store:
        (event,) = await messages(store, 1)
    assert event.items() >= {"timestamp": "2026-01-31T12:00:00.000000000Z", "service": "ec2.amazonaws.com",
                             "userIdentity.type": "Root", "awsRegion": "eu-central-1"}.items()  # fmt: skip


@pytest.mark.parametrize("way", ["list", "queue"])
async def test_large_objects_in_blocks(bucket: Bucket, queue: str, way: str) -> None:
    lines = [f"{n:07d} {'x' * 50}" for n in range(60_000)]
    put(bucket, "big", gzip.compress("\n".join(lines).encode(), 1))
    put(bucket, "one line", b"y" * 3_000_000)
    async with listening(source(bucket, **({"queue": queue} if way == "queue" else {}))) as store:
        await until(lambda: sum(map(len, store.batches)) >= 60_002, 20)
    assert sorted(line for line in store.lines if line[0] == "0") == lines
    assert "".join(line for line in store.lines if line[0] == "y") == "y" * 3_000_000


@pytest.mark.parametrize("way", ["list", "queue"])
async def test_each_object_once_over_restarts(
    bucket: Bucket, queue: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_VISIBLE_S", 2)  # a message that nobody was there to take comes again after this
    monkeypatch.setattr(s3, "_LONG_POLL_S", 1)
    store, total = MemoryStore(), 0
    for _ in range(3):
        outlet = MemoryOutlet(store, trouble=0.1)
        made = source(bucket, **({"queue": queue} if way == "queue" else {}))
        async with listening(made, outlet):
            for _ in range(3):
                name = f"{(total * 7) % 10}/{total}"  # names do not rise
                await anyio.to_thread.run_sync(put, bucket, name, f"{total}\n")
                total += 1
            await until(lambda: len(store.lines) >= total)  # noqa: B023
            if way == "queue":
                await until(lambda: left(bucket, queue) == 0)
        put(bucket, f"0/{total}", f"{total}\n")
        total += 1
    async with listening(source(bucket, **({"queue": queue} if way == "queue" else {})), MemoryOutlet(store)):
        await until(lambda: len(store.lines) >= total)
        await anyio.sleep(0.2)
    assert sorted(store.lines, key=int) == [str(n) for n in range(total)]


async def test_a_message_that_is_none_stays(bucket: Bucket, queue: str, caplog: pytest.LogCaptureFixture) -> None:
    made = client(bucket)
    made.send_message(QueueUrl=queue, MessageBody="what?")
    made.close()
    put(bucket, "a", b"fine\n")
    async with listening(reading := source(bucket, queue=queue)) as store:
        await messages(store, 1)
        await until(lambda: reading.counts["strange_messages"] and left(bucket, queue) == 1)
    assert left(bucket, queue) == 1
    assert "a message is none of S3's: what?" in caplog.text


@pytest.mark.parametrize(
    ("body", "given", "said"),
    [
        pytest.param(gzip.compress(b"x" * 100_000)[:-20], {}, "it is damaged, or not all of it is there", id="cut off"),
        pytest.param(b"x" * 5000, {"max_object": 1024}, "more than 1024 bytes; raise max_object", id="large"),
        pytest.param(b'[{"a": 1}, ', {}, "no JSON array", id="no JSON"),
        pytest.param(b'{"Records": 5}', {}, "no JSON array", id="no records"),
        pytest.param(b'[{"a":' * 100_000, {}, "no JSON array", id="deep"),
    ],
)
async def test_what_cannot_be_read_is_left_out(
    bucket: Bucket, body: bytes, given: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(bucket, "bad", body)
    put(bucket, "good", b"fine\n")
    async with listening(made := source(bucket, **given)) as store:
        await until(lambda: "fine" in store.lines and made.counts["failed_objects"])
    assert made.counts["failed_objects"] == 1
    assert said in caplog.text


async def test_json_that_is_too_large(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_JSON", 1000)
    put(bucket, "bomb.json.gz", gzip.compress(b'[{"a": "' + b"x" * 3_000_000 + b'"}]'))
    async with listening(made := source(bucket)):
        await until(lambda: made.counts["failed_objects"])
    assert made.counts["failed_objects"] == 1


async def test_no_bucket_and_nobody_there(bucket: Bucket) -> None:
    with pytest.raises(RetryableError, match=r"AWS refuses: .*NoSuchBucket"):
        await source(bucket, bucket="there-is-none").run(MemoryOutlet(MemoryStore()))
    with pytest.raises(RetryableError, match="AWS does not answer"):
        await source(bucket, endpoint="http://127.0.0.1:1").run(MemoryOutlet(MemoryStore()))


async def test_no_region(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FatalError, match="cannot be asked: You must specify a region"):
        await source(bucket, region=None, queue="http://127.0.0.1:1/q").run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"Event": "s3:TestEvent"}, [], id="test"),
        pytest.param({"Records": [{"eventName": "ObjectRemoved:Delete",
                                   "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}, [], id="removed"),
        pytest.param({"Records": [{"eventName": "ObjectCreated:Copy",
                                   "s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%2Bc"}}}]},
                     [Named("b", "a b+c")], id="plain"),
        pytest.param({"Type": "Notification", "Message": json.dumps({"Records": [
            {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]})},
            [Named("b", "k")], id="by SNS"),
        pytest.param({"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "a+b"}}},
                     [Named("b", "a+b")], id="by EventBridge"),
        pytest.param({"Records": 5}, None, id="no records"),
        pytest.param([1], None, id="array"),
        pytest.param({}, None, id="empty"),
    ],
)  # fmt: skip
def test_notices(body: Any, expected: list[Named] | None) -> None:
    assert read_notice(json.dumps(body)) == expected


@pytest.mark.parametrize(
    "given", [{}, {"bucket": "abc", "queue": "http://x/q"}, {"bucket": "abc", "access_key_id": "x"}, {"bucket": "../x"}]
)
def test_settings_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"either a bucket|belong together|pattern"):
        S3Config(**given)


SERVER: list[S3Server] = []


@pytest.fixture
def server_of_contract(s3_server: S3Server) -> None:
    SERVER[:] = [s3_server]


def objects(_: object) -> Scenario:
    bucket = Bucket(f"test-{uuid4().hex[:12]}", SERVER[0].url)
    bucket.client.create_bucket(Bucket=bucket.name)
    for part in range(4):
        put(bucket, f"{part}", "".join(f"{part} {n}\n" for n in range(25)))
    bucket.client.close()
    settings = {"bucket": bucket.name, "endpoint": bucket.url, "region": "us-east-1", "every": "100ms", **KEYS}
    return Scenario(settings, anyio.lowlevel.checkpoint, 100)


checks: Callable[..., None] = source_contract(S3, objects)
test_contract = pytest.mark.usefixtures("server_of_contract")(checks)
