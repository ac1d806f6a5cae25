"""Log groups of moto's CloudWatch Logs, asked page by page, over restarts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import anyio
import pytest
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import aws
from cordwood.sources.cloudwatch import Cloudwatch, CloudwatchConfig

from ..objectstore import KEYS, S3Server
from .http_peer import Answer, answering
from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


class Group:
    """A log group with a stream."""

    def __init__(self, url: str) -> None:
        import boto3

        keys = {f"aws_{name}": value for name, value in KEYS.items()}
        self.url, self.name = url, f"/test/{uuid4().hex[:12]}"
        self.client = boto3.client("logs", endpoint_url=url, region_name="us-east-1", **keys)
        self.client.create_log_group(logGroupName=self.name)
        self.client.create_log_stream(logGroupName=self.name, logStreamName="web/1")

    def write(self, *lines: str, age: float = 0.0) -> None:
        at = int((time.time() - age) * 1000)
        given = [{"timestamp": at, "message": line} for line in lines]
        self.client.put_log_events(logGroupName=self.name, logStreamName="web/1", logEvents=given)

    def settings(self, **more: Any) -> dict[str, Any]:
        shared = {"endpoint": self.url, "region": "us-east-1", **KEYS, "every": "50ms", "delay": "0s"}
        return shared | {"groups": [self.name]} | more


@pytest.fixture
def group(s3_server: S3Server) -> Iterator[Group]:
    made = Group(s3_server.url)
    yield made
    made.client.close()


def source(group: Group, **given: Any) -> Cloudwatch:
    return Cloudwatch(CloudwatchConfig(**group.settings(**given)))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has 7 events, not ten thousand."""
    call = aws.Aws.call

    async def limited(self: aws.Aws, service: str, method: str, **given: Any) -> Any:
        return await call(self, service, method, limit=7, **given)

    monkeypatch.setattr(aws.Aws, "call", limited)


async def test_an_event(group: Group) -> None:
    group.write('{"level": "error"}', age=10)
    async with listening(source(group)) as store:
        (event,) = await messages(store, 1)
    assert (event["message"], event["logGroup"], event["logStream"]) == ('{"level": "error"}', group.name, "web/1")
    assert event["id"]
    assert abs(time.time() - 10 - time.mktime(time.strptime(event["timestamp"][:19], "%Y-%m-%dT%H:%M:%S"))) < 86_400


@pytest.mark.usefixtures("small_pages")
async def test_each_event_once_over_pages_and_restarts(group: Group) -> None:
    store, total = MemoryStore(), 0
    for part in range(4):
        async with listening(source(group), MemoryOutlet(store, trouble=0.1)):
            for _ in range(2):
                await anyio.to_thread.run_sync(group.write, *(str(n) for n in range(total, total + 23)))
                total += 23
                await anyio.sleep(0.1)
            if part % 2:
                await until(lambda: len(store.lines) >= total)  # noqa: B023
    async with listening(source(group), MemoryOutlet(store)):
        await until(lambda: len(store.lines) >= total)
        await anyio.sleep(0.2)
    assert sorted(store.lines, key=int) == [str(n) for n in range(total)]


async def test_how_far_back_and_what_is_asked_for(group: Group) -> None:
    group.write("of old", age=1000)
    group.write("ERROR lately", age=100)
    group.write("WARN lately", age=50)
    async with listening(source(group, start="5m", pattern="ERROR")) as store:
        await messages(store, 1)
        await anyio.sleep(0.2)
    assert store.lines == ["ERROR lately"]


async def test_a_token_that_is_too_old(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    group.write("one", age=5)
    now = int(time.time() * 1000)
    store = MemoryStore()
    store.positions[f"cloudwatch/{group.name}"] = {"start": now - 60_000, "end": now, "token": "old"}
    call = aws.Aws.call

    async def refusing(self: aws.Aws, service: str, method: str, **given: Any) -> Any:
        if given.get("nextToken") == "old":  # moto answers nothing where AWS refuses
            raise KeyError("InvalidParameterException: The specified nextToken is invalid.")
        return await call(self, service, method, **given)

    monkeypatch.setattr(aws.Aws, "call", refusing)
    async with listening(source(group), MemoryOutlet(store)):
        await messages(store, 1)


async def test_no_group_and_nobody_there(group: Group) -> None:
    with pytest.raises(RetryableError, match=r"AWS refuses: .*ResourceNotFoundException"):
        await source(group, groups=["/none"]).run(MemoryOutlet(MemoryStore()))
    with pytest.raises(RetryableError, match="AWS does not answer"):
        await source(group, endpoint="http://127.0.0.1:1").run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"\xcc\x80\xff", 400),
        Answer(b"\x92", 200),
        Answer(b"", 200, {"Transfer-Encoding": "chunked"}),
        Answer(b"3", 400),
        Answer(b'{"__type":3}', 400),
        Answer(b"3", 200),
        Answer(b'{"events":3}', 200),
        Answer(b'{"events":[3]}', 200),
    ],
    ids=[
        "no UTF-8, refused",
        "no UTF-8",
        "chunks that do not come",
        "a number, refused",
        "a number as the reason",
        "a number",
        "a number of events",
        "a number as an event",
    ],
)
async def test_a_broken_answer_is_asked_again_later(
    group: Group, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "_WAIT_S", 0.2)
    with (
        answering(lambda _: answer) as peer,
        pytest.raises(RetryableError, match=r"AWS (does not answer|refuses|answers what cannot be read)"),
        anyio.fail_after(10),
    ):
        await source(group, endpoint=peer.url).run(MemoryOutlet(MemoryStore()))


SERVER: list[S3Server] = []


@pytest.fixture
def server_of_contract(s3_server: S3Server) -> None:
    SERVER[:] = [s3_server]


def events(_: object) -> Scenario:
    group = Group(SERVER[0].url)
    group.write(*map(str, range(100)), age=5)
    group.client.close()
    return Scenario(group.settings(every="100ms"), anyio.lowlevel.checkpoint, 100)


checks = source_contract(Cloudwatch, events)
test_contract = pytest.mark.usefixtures("server_of_contract")(checks)
