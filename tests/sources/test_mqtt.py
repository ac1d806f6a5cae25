"""MQTT: packets as the specification has them, a real Mosquitto, and a broker that breaks off where it hurts."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import anyio
import paho.mqtt.client as paho
import pytest
from cordwood.plugins import FatalError, RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.mqtt import Mqtt, MqttConfig, packets
from cordwood.sources.mqtt.events import read_messages
from cordwood.sources.mqtt.packets import Framing, MalformedError, Publish, read_connack, read_publish, read_suback
from cordwood.sources.mqtt.topics import Topic
from hypothesis import given, settings
from hypothesis import strategies as st

from ..services import find_mosquitto
from .brokers import PLAIN, Broker, message, mosquitto, packet, publish
from .listening import certificates, free_port, listening, messages, until

pytestmark = pytest.mark.anyio
needs_mosquitto = pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto and mosquitto_pub")
AT = 1_769_860_800_000_000_000


@pytest.mark.parametrize(
    ("text", "filter_", "topic", "fields"),
    [
        pytest.param("sensors/#", "sensors/#", "sensors/a/b", {}, id="all below"),
        pytest.param("sensors/#", "sensors/#", "sensors", {}, id="and itself"),
        pytest.param("sensors/#", "sensors/#", "sensor", None, id="another"),
        pytest.param("s/{device}/{kind}", "s/+/+", "s/d1/heat", {"device": "d1", "kind": "heat"}, id="named"),
        pytest.param("s/{device}/{kind}", "s/+/+", "s/d1", None, id="too short"),
        pytest.param("s/{device}", "s/+", "s/d1/heat", None, id="too long"),
        pytest.param("{host}/+/state", "+/+/state", "h/x/state", {"host": "h"}, id="unnamed"),
        pytest.param("$share/g/s/{device}", "$share/g/s/+", "s/d", {"device": "d"}, id="shared"),
        pytest.param("#", "#", "$SYS/broker/uptime", None, id="system"),
        pytest.param("$SYS/#", "$SYS/#", "$SYS/broker/uptime", {}, id="system asked for"),
        pytest.param("{a}//{b}", "+//+", "x//", {"a": "x", "b": ""}, id="empty levels"),
    ],
)
def test_a_topic(text: str, filter_: str, topic: str, fields: dict[str, str] | None) -> None:
    read = Topic.of(text)
    assert read.filter == filter_
    assert read.fields(topic) == fields


@pytest.mark.parametrize(
    "text",
    ["", "a/#/b", "a+", "a/b#", "x{a}", "{}", "{timestamp}", "$share/g", "$share/+/a", "a\0", "s/{a}b", "x" * 70_000],
)
def test_no_topic(text: str) -> None:
    with pytest.raises(ValueError, match=r"topic|level|share|field|name"):
        Topic.of(text)


def events(*found: Publish, topics: tuple[str, ...] = ("#",)) -> list[dict[str, Any]]:
    made = read_messages(found, [Topic.of(text) for text in topics], AT).events()
    assert all(event.pop("observed_timestamp") for event in made)
    return made


NOW = "2026-01-31T12:00:00.000000000Z"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b'{"temperature": 21.5, "level": "warn", "device": "own"}',
                     {"temperature": 21.5, "severity": "WARN", "severity_text": "warn", "device": "own"}, id="object"),
        pytest.param(b'{"ts": 1769860800, "msg": "hot", "host": "h2"}', {"message": "hot", "host": "h2"}, id="own"),
        pytest.param(b'{\r\n  "a": {"b": 1}\n}', {"a.b": 1}, id="over several lines"),
        pytest.param(b"21.5", {"message": "21.5"}, id="number"),
        pytest.param(b"two\nlines", {"message": "two\nlines"}, id="text"),
        pytest.param(b'["a"]', {"message": '["a"]'}, id="array"),
        pytest.param(b"\xff\0", {"message": "\\xff\0"}, id="binary"),
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b'{"a": ', {"message": '{"a": ', "parse_error": "json: Input data was truncated"}, id="broken"),
    ],
)  # fmt: skip
def test_a_payload(payload: bytes, expected: dict[str, Any]) -> None:
    """Alone, and beside others."""
    sent = Publish("s/h1/d1", payload)
    fields = {"timestamp": NOW, "host": "h1", "device": "d1", "mqtt.topic": "s/h1/d1"} | expected
    other = {"timestamp": NOW, "message": "x", "mqtt.topic": "other"}
    assert events(sent, topics=("s/{host}/{device}",)) == [fields]
    assert events(sent, Publish("other", b"x"), sent, topics=("s/{host}/{device}", "#")) == [fields, other, fields]
    plain = {"timestamp": NOW, "mqtt.topic": "s/h1/d1"} | expected
    assert events(sent) == [plain]


def test_what_was_cut_and_what_was_retained() -> None:
    (cut, kept) = events(Publish("t", b'{"a": 1', whole=False), Publish("t", b"x", retained=True))
    assert (cut["message"], "max_message" in cut["parse_error"]) == ('{"a": 1', True)
    assert kept == {"timestamp": NOW, "message": "x", "mqtt.topic": "t", "mqtt.retained": True}


def test_packets_follow_each_other_in_any_pieces() -> None:
    sent = [message("t", b"x" * size, qos=1, id=7) for size in (0, 10, 300, 20_000)] + [b"\xd0\0"]
    stream = b"".join(sent)
    for step in (1, 7, 100_000):
        framing = Framing(1000)
        found = [p for i in range(0, len(stream), step) for p in framing.feed(stream[i : i + step])]
        assert [(p.kind, p.whole) for p in found] == [(3, True)] * 3 + [(3, False), (13, True)]
        read = [read_publish(p, v5=True) for p in found[:4]]
        assert [len(m.payload) for m in read] == [0, 10, 300, 1000 - 6]
        assert {(m.topic, m.qos, m.id) for m in read} == {("t", 1, 7)}


def test_properties_of_version_5() -> None:
    pair, text = b"\x26\0\1k\0\2vv", b"\x03\0\4text"
    properties = b"\x01\1" + b"\x02\0\0\0\5" + text + b"\x0b\x81\1" + pair + pair
    body = b"\0\1t" + b"\0\5" + bytes([len(properties)]) + properties + b"payload"
    read = read_publish(packets.Packet(3, 0b0101, body), v5=True)
    assert read == Publish("t", b"payload", 2, 5, retained=True)
    accepted = read_connack(packets.Packet(2, 0, b"\1\0\x0a\x13\0\x1e\x1f\0\4busy"), v5=True)
    assert (accepted.session, accepted.keepalive) == (True, 30)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.booleans())
def test_nonsense_is_refused(data: bytes, v5: bool) -> None:
    try:
        for found in Framing(50).feed(data):
            for read in (read_publish, read_connack, read_suback):
                try:
                    read(found, v5=v5)
                except MalformedError:
                    continue
            packets.identifier(found)
    except MalformedError:
        pass


def test_settings() -> None:
    good = {"url": "mqtt://broker:1883", "topics": ["sensors/#"]}
    assert MqttConfig(**good, version=5).version == "5"  # type: ignore[arg-type]
    assert "s3cret" not in repr(MqttConfig(**good, username="u", password="s3cret"))  # type: ignore[arg-type]
    wrong: dict[str, dict[str, Any]] = {
        "no address of a broker": {"url": "http://broker"},
        "settings of their own": {"url": "mqtt://u:p@broker"},
        "belong together": {"url": "mqtts://b", "cert_file": "c.pem"},
        "for mqtts": {"ca_file": "ca.pem"},
        "2s to 18h": {"keepalive": "1s"},
        "needs a username": {"password": "p"},
        "topic filter": {"topics": [""]},
    }
    for words, given_ in wrong.items():
        with pytest.raises(ValueError, match=words):
            MqttConfig(**good | given_)


def scripted(_: Path) -> Scenario:
    """A broker that sends what is not acknowledged again over the next connection."""
    broker = Broker([message("t", b"%d" % n, qos=1, id=n) for n in range(1, 101)])
    return Scenario(
        {"url": f"mqtt://127.0.0.1:{broker.port}", "topics": ["#"]}, broker.run, 100, lambda: broker.kinds[4]
    )


test_contract = source_contract(Mqtt, scripted)


def source(port: int, **given_: Any) -> Mqtt:
    return Mqtt(MqttConfig(**{"url": f"mqtt://127.0.0.1:{port}", "topics": ["t/{device}"], **given_}))


class Restarting(Mqtt):
    """Started again at once, as the engine does after a while."""

    def __init__(self, config: MqttConfig) -> None:
        super().__init__(config)
        self.said: list[str] = []

    async def run(self, outlet: Any) -> None:
        while True:
            try:
                await super().run(outlet)
            except RetryableError as why:
                self.said.append(str(why))
                await anyio.sleep(0.02)


def restarting(port: int, **given_: Any) -> Restarting:
    return Restarting(source(port, **given_).config)


async def test_a_message_of_qos_2_that_comes_again_is_stored_once() -> None:
    """The broker hears of nothing (PUBREC is lost), then of all but the end, then gives the identifier anew."""
    store = MemoryStore()
    first = Broker([message("t/a", b"one", qos=2, id=5)], answers=1)
    async with listening(restarting(first.port, qos=2), MemoryOutlet(store)), anyio.create_task_group() as tasks:
        tasks.start_soon(first.run)
        await until(lambda: first.told)
        tasks.cancel_scope.cancel()
    assert first.told[0].kind == packets.PUBREC
    released = packet(0x62, b"\0\5")
    second = Broker([message("t/a", b"one", qos=2, id=5, again=True), released])
    async with listening(restarting(second.port, qos=2), MemoryOutlet(store)), anyio.create_task_group() as tasks:
        tasks.start_soon(second.run)
        await until(lambda: second.kinds[packets.PUBCOMP])
        tasks.cancel_scope.cancel()
    assert [told.kind for told in second.told if told.kind < 8] == [packets.PUBREC, packets.PUBCOMP]
    assert store.lines == ["one"]
    (position,) = store.positions.values()
    assert isinstance(position, dict)
    assert position["held"] == []
    third = Broker([message("t/a", b"two", qos=2, id=5)])
    async with listening(restarting(third.port, qos=2), MemoryOutlet(store)), anyio.create_task_group() as tasks:
        tasks.start_soon(third.run)
        await messages(store, 2)
        tasks.cancel_scope.cancel()
    assert store.lines == ["one", "two"]


async def test_identifiers_of_a_session_that_the_broker_lost_mean_nothing() -> None:
    store = MemoryStore(positions={"session/cordwood-files": {"token": "t", "held": [5], "topics": ["t/+"]}})
    broker = Broker([message("t/a", b"new", qos=2, id=5)], connack=b"\x20\x03\0\0\0")
    async with listening(restarting(broker.port, qos=2), MemoryOutlet(store)), anyio.create_task_group() as tasks:
        tasks.start_soon(broker.run)
        await messages(store, 1)
        tasks.cancel_scope.cancel()


async def test_a_second_client_with_the_same_session_is_noticed() -> None:
    broker = Broker([message("t/a", b"x", qos=2, id=5)])

    class Moved(MemoryOutlet):
        async def send(self, batch: Any, **given_: Any) -> Any:
            if len(batch):
                self.store.positions["session/cordwood-files"] = {"token": "another"}
            return await super().send(batch, **given_)

    async with (
        listening(made := restarting(broker.port, qos=2), Moved(MemoryStore())),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(broker.run)
        # The broker may listen only after the source has looked for it once.
        await until(lambda: any("another client has this client_id" in said for said in made.said))
        tasks.cancel_scope.cancel()
    assert broker.kinds[packets.PUBREC] == 0


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        pytest.param(Broker([], connack=b"\x20\x03\0\x87\0"), "not authorised", id="refused"),
        pytest.param(Broker([], connack=b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no MQTT", id="not a broker"),
        pytest.param(Broker([packet(0xE0, b"\x8e\0")]), "same client_id", id="taken over"),
        pytest.param(Broker([b"\x30\xff\xff\xff\xff\x7f"]), "more than four bytes", id="malformed"),
        pytest.param(Broker([b"\x30\2\0\x09"]), "ends in its head", id="no message"),
        pytest.param(Broker([b"\x80\0"]), "a packet of type 8", id="not a broker's packet"),
    ],
)
async def test_a_broker_that_is_none_or_does_not_want_us(broker: Broker, words: str) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(broker.run)
        with pytest.raises(RetryableError, match=words) as raised, anyio.fail_after(10):
            await source(broker.port).run(MemoryOutlet(MemoryStore()))
        tasks.cancel_scope.cancel()
    assert (raised.value.after or 0) >= 10


async def test_nobody_is_there() -> None:
    pauses = []
    made = source(free_port())
    for _ in range(3):
        with pytest.raises(RetryableError, match="nobody is there") as raised:
            await made.run(MemoryOutlet(MemoryStore()))
        pauses.append(raised.value.after)
    assert pauses == [0.5, 1.0, 2.0]


async def test_a_silent_broker_is_left() -> None:
    broker = Broker([])
    async with anyio.create_task_group() as tasks:
        await tasks.start(broker.run)
        with pytest.raises(RetryableError, match="was silent"), anyio.fail_after(20):
            await source(broker.port, keepalive="2s").run(MemoryOutlet(MemoryStore()))
        tasks.cancel_scope.cancel()
    assert broker.kinds[12] >= 2  # it was pinged


async def test_the_certificate_is_not_there(tmp_path: Path) -> None:
    made = Mqtt(MqttConfig(url="mqtts://127.0.0.1:1", topics=["#"], ca_file=tmp_path / "none.pem"))
    with pytest.raises(FatalError, match="cannot be used"):
        await made.run(MemoryOutlet(MemoryStore()))


@needs_mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_mosquitto(version: str, qos: int, data_dir: Path) -> None:
    """What is published while we are there arrives once, and (QoS 1 and 2) what is published while we are away."""
    store, level = MemoryStore(), ("-q", str(qos))
    with mosquitto(data_dir) as port:
        made = {"version": version, "qos": qos}
        async with listening(source(port, **made), MemoryOutlet(store)):
            await until(lambda: store.positions)
            lines = [f'{{"n": {n}}}' for n in range(200)]
            await anyio.to_thread.run_sync(publish, port, "t/d1", lines, *level)
            found = await messages(store, 200)
        assert [event["n"] for event in found] == list(range(200))
        assert {(event["device"], event["mqtt.topic"]) for event in found} == {("d1", "t/d1")}
        if qos:
            await anyio.to_thread.run_sync(publish, port, "t/d2", [f"away {n}" for n in range(50)], *level)
            async with listening(source(port, **made), MemoryOutlet(store)):
                await messages(store, 250)
            assert store.lines[200:] == [f"away {n}" for n in range(50)]


@needs_mosquitto
async def test_paho_with_qos_2(data_dir: Path) -> None:
    with mosquitto(data_dir) as port:
        async with listening(source(port, qos=2)) as store:
            await until(lambda: store.positions)

            def talk() -> None:
                client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
                client.connect("127.0.0.1", port)
                client.loop_start()
                for info in [client.publish("t/p", f"line {n}", qos=2) for n in range(300)]:
                    info.wait_for_publish(20)
                client.disconnect()
                client.loop_stop()

            await anyio.to_thread.run_sync(talk)
            found = await messages(store, 300)
    assert [event["message"] for event in found] == [f"line {n}" for n in range(300)]


@needs_mosquitto
async def test_two_share_a_subscription(data_dir: Path) -> None:
    topics = ["$share/g/t/{device}"]
    with mosquitto(data_dir) as port:
        one, two = MemoryStore(), MemoryStore()
        async with (
            listening(source(port, client_id="one", topics=topics), MemoryOutlet(one)),
            listening(source(port, client_id="two", topics=topics), MemoryOutlet(two)),
        ):
            await until(lambda: one.positions and two.positions)
            await anyio.to_thread.run_sync(publish, port, "t/d", [str(n) for n in range(100)], "-q", "1")
            await until(lambda: len(one.lines) + len(two.lines) >= 100)
    assert one.lines
    assert two.lines
    assert sorted(one.lines + two.lines, key=int) == [str(n) for n in range(100)]


@needs_mosquitto
async def test_retained_messages_and_topics_that_are_wanted_no_more(data_dir: Path) -> None:
    with mosquitto(data_dir) as port:
        publish(port, "t/kept", ["on"], "-r", "-q", "1")
        store = MemoryStore()
        for _ in range(2):  # with version 5 they come with a new subscription alone
            async with listening(source(port), MemoryOutlet(store)):
                (event,) = await messages(store, 1)
        assert (event["message"], event["mqtt.retained"]) == ("on", True)
        for n, version in enumerate(("5", "3.1.1")):
            other = MemoryStore()
            async with listening(
                source(port, client_id=f"other-{n}", version=version, retained=False), MemoryOutlet(other)
            ):
                await until(lambda: other.positions)  # noqa: B023
                publish(port, "t/now", ["now"], "-q", "1")
                (event,) = await messages(other, 1)
            assert event["message"] == "now"
        async with listening(source(port, topics=["u/#"]), MemoryOutlet(store)):
            await until(lambda: "u/#" in str(store.positions))
            publish(port, "t/a", ["not wanted"], "-q", "1")
            publish(port, "u/a", ["wanted"], "-q", "1")
            await until(lambda: "wanted" in store.lines)
        assert "not wanted" not in store.lines


@needs_mosquitto
async def test_tls_with_a_client_certificate_and_a_password(data_dir: Path) -> None:
    pem = certificates(data_dir)
    passwords = data_dir / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "cordwood", "s3cret"], check=True)
    passwords.chmod(0o644)
    pem["server_key"].chmod(0o644)
    given_ = f"cafile {pem['ca']}\ncertfile {pem['server']}\nkeyfile {pem['server_key']}\nrequire_certificate true\n"
    with mosquitto(data_dir, f"{given_}password_file {passwords}\n") as port:
        tls = {"url": f"mqtts://127.0.0.1:{port}", "ca_file": pem["ca"], "username": "cordwood", "password": "s3cret"}
        mine = {"cert_file": pem["client"], "key_file": pem["client_key"]}
        theirs = {"cert_file": pem["other_client"], "key_file": pem["other_client_key"]}
        wrong = [
            (tls | mine | {"password": "guess"}, "not authorised|wrong username"),
            (tls | mine | {"ca_file": pem["other_ca"]}, "we refuse the broker's certificate"),
            (tls, "refuses us|lost"),
            (tls | theirs, "refuses us|lost"),
        ]
        for settings_, words in wrong:
            with pytest.raises(RetryableError, match=words), anyio.fail_after(20):
                await source(port, **settings_).run(MemoryOutlet(MemoryStore()))
        async with listening(source(port, **tls, **mine)) as store:
            await until(lambda: store.positions)
            client = paho.Client(paho.CallbackAPIVersion.VERSION2)
            client.username_pw_set("cordwood", "s3cret")
            context = ssl.create_default_context(cafile=pem["ca"])
            context.load_cert_chain(pem["client"], pem["client_key"])
            client.tls_set_context(context)
            client.connect("127.0.0.1", port)
            client.loop_start()
            await anyio.to_thread.run_sync(client.publish("t/secure", "told", 1).wait_for_publish, 10)
            client.disconnect()
            client.loop_stop()
            (event,) = await messages(store, 1)
    assert event["message"] == "told"


@needs_mosquitto
async def test_a_broker_that_goes_and_comes_back(data_dir: Path) -> None:
    kept = f"{PLAIN}persistence true\npersistence_location {data_dir}/\nautosave_interval 1\nuser root\n"
    port = free_port()
    async with listening(made := restarting(port)) as store:
        await until(lambda: made.said)
        for part in ("a", "b"):
            with mosquitto(data_dir, kept, port=port):
                await until(lambda: arrived(port, part, store))  # noqa: B023
    assert {"a", "b"} <= set(store.lines)
    assert made.counts["lost_connections"] >= 1


def arrived(port: int, line: str, store: MemoryStore) -> bool:
    """Publish until it arrives: nobody is told when we have subscribed again."""
    publish(port, "t/x", [line], "-q", "1")
    return line in store.lines
