"""Topics of librdkafka's mock cluster: groups, rebalances, offsets; and what a broker may be instead.

No broker can be had in the tests; the mock speaks the protocol of the consumer, with groups and offsets, by TCP.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
import pytest
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import kafka
from cordwood.sources.kafka import Kafka, KafkaConfig

from ..conftest import free_port
from .kafka_cluster import Cluster, ClusterApart, cluster, cluster_apart
from .listening import listening, messages, until

pytestmark = pytest.mark.anyio
JOIN_S = 20.0  # the mock lets a new group wait three seconds for more members


@pytest.fixture(scope="module")
def brokers() -> Iterator[Cluster]:
    with cluster(3) as made:
        yield made


def topics(_: Path) -> Scenario:
    made = Cluster()
    CLUSTERS.append(made)
    made.send("t", *map(str, range(100)))
    return Scenario({"brokers": made.brokers, "topics": ["t"]}, anyio.lowlevel.checkpoint, 100)


CLUSTERS: list[Cluster] = []
# Each check waits three seconds for the group: the short form is all else in this module.
test_contract = pytest.mark.soak(source_contract(Kafka, topics))


def source(where: Cluster | ClusterApart, *names: str, **given: Any) -> Kafka:
    return Kafka(KafkaConfig(**({"brokers": where.brokers, "topics": names, "group": "g"} | given)))


async def test_messages_become_events_over_a_restart(brokers: Cluster) -> None:
    topic, store = f"t-{uuid4().hex[:8]}", MemoryStore()
    brokers.send(topic, '{"message": "card declined", "service": "shop", "time": "2026-01-31T12:00:00Z"}', partition=0)
    brokers.send(
        topic, "plain\ntext", b"\xff", None, "", partition=0, key="k1", timestamp=1_769_860_800_123,
        headers={"trace": "0af7"},
    )  # fmt: skip
    async with listening(source(brokers, topic), MemoryOutlet(store)):
        await until(lambda: len(store.lines) >= 4, JOIN_S)
        found = await messages(store, 4)
    assert found[0].items() >= {
        "message": "card declined", "service": "shop", "timestamp": "2026-01-31T12:00:00.000000000Z",
        "kafka.topic": topic, "kafka.partition": 0, "kafka.offset": 0,
    }.items()  # fmt: skip
    assert [event.get("message") for event in found[1:]] == ["plain\ntext", "\\xff", ""]
    assert found[1].items() >= {
        "timestamp": "2026-01-31T12:00:00.123000000Z", "kafka.key": "k1", "kafka.header.trace": "0af7",
    }.items()  # fmt: skip
    assert store.positions == {f"kafka/{topic}/0": {"offset": 5}}
    brokers.send(topic, "once more", partition=0)
    # A group that has no offsets: ours count. (The mock lets nobody into a group again that the last one has left.)
    async with listening(source(brokers, topic, group="another"), MemoryOutlet(store)):
        await until(lambda: len(store.lines) >= 5, JOIN_S)
        await messages(store, 5)


async def test_each_message_once_over_rebalances(brokers: Cluster) -> None:
    """Two members that come and go, a store in trouble, and a group whose own offsets nobody asks for."""
    topic, group, store, chance = f"t-{uuid4().hex[:8]}", uuid4().hex, MemoryStore(), random.Random(1)
    total = 0

    async def send(count: int) -> None:
        nonlocal total
        values = [str(n) for n in range(total, total + count)]
        total += count
        await anyio.to_thread.run_sync(lambda: brokers.send(topic, *values))

    class Supervised:
        async def run(self, outlet: Any) -> None:
            while True:
                try:
                    await source(brokers, topic, group=group).run(outlet)
                except RetryableError:
                    await anyio.sleep(0.05)

    def member() -> Any:
        return listening(Supervised(), MemoryOutlet(store, trouble=0.05, chance=chance))  # type: ignore[arg-type]

    await send(2000)
    async with member():
        await until(lambda: store.lines, JOIN_S)
        async with member():
            for _ in range(10):
                await send(200)
                await anyio.sleep(0.05)
        await send(500)
        await until(lambda: len(store.lines) >= total, 2 * JOIN_S)
        await anyio.sleep(0.3)
    assert sorted(store.lines, key=int) == [str(n) for n in range(total)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({}, r"no broker of 127\.0\.0\.1:\d+: .*Connection refused", id="nobody there"),
        pytest.param({"tls": True}, r"no broker of .*SSL", id="no TLS"),
    ],
)
async def test_no_broker(brokers: Cluster, given: dict[str, Any], said: str) -> None:
    where = brokers.brokers if given else [f"127.0.0.1:{free_port()}"]
    with pytest.raises(RetryableError, match=said), anyio.fail_after(JOIN_S):
        await source(brokers, "t", brokers=where, **given).run(MemoryOutlet(MemoryStore()))


async def test_a_peer_that_says_nothing_and_one_that_talks_nonsense() -> None:
    async def nonsense(stream: Any) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"\xff" * 1000)

    for handle in (None, nonsense):
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        where = f"127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        async with listener, anyio.create_task_group() as tasks:
            if handle:
                tasks.start_soon(listener.serve, handle)
            made = Kafka(KafkaConfig(brokers=(where,), topics=("t",)))
            with anyio.move_on_after(1.5):  # it stops at once when told to
                with pytest.raises(RetryableError, match="no broker of"):
                    await made.run(MemoryOutlet(MemoryStore()))
            tasks.cancel_scope.cancel()


async def test_brokers_that_fall_silent_are_told_and_read_on_when_they_are_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their process is stopped, so that the kernel takes what is sent to them and nobody answers."""
    monkeypatch.setattr(kafka, "_SILENT_S", 1.0)
    store = MemoryStore()
    with cluster_apart() as apart:
        apart.send("t", "before")

        async def stop() -> None:
            await until(lambda: store.lines, JOIN_S)
            apart.process.send_signal(signal.SIGSTOP)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop)
            with pytest.raises(RetryableError, match=r"no broker of .* brokers are down"), anyio.fail_after(JOIN_S):
                await source(apart, "t").run(MemoryOutlet(store))
        apart.process.send_signal(signal.SIGCONT)
        apart.send("t", "after")
        async with listening(source(apart, "t", group="another"), MemoryOutlet(store)):
            await until(lambda: len(store.lines) >= 2, JOIN_S)
    assert store.lines == ["before", "after"]


@pytest.mark.parametrize(
    "given", [{"username": "u"}, {"cert_file": "x"}, {"ca_file": "x"}, {"brokers": ()}, {"mechanism": "GSSAPI"}]
)
def test_settings_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"belong together|are of TLS|at least 1|PLAIN"):
        KafkaConfig(**({"brokers": ("x:1",), "topics": ("t",)} | given))


def test_what_the_client_is_told() -> None:
    given = {"tls": True, "ca_file": "ca.pem", "username": "u", "password": "s3cret", "start": "end"}
    made = Kafka(KafkaConfig(brokers=("a:1", "b:2"), topics=("t",), **given))._settings()
    assert made.items() >= {
        "bootstrap.servers": "a:1,b:2", "security.protocol": "SASL_SSL", "ssl.ca.location": "ca.pem",
        "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": "s3cret",
        "auto.offset.reset": "latest", "enable.auto.commit": False,
    }.items()  # fmt: skip
