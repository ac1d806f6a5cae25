"""From events to a person: real store, engine, detector, HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.config import Config, load_text
from cordwood.core.alerting import AlertingRepository, AlertingService
from cordwood.core.query import QueryEngine, QueryRequest, QueryResult
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.detectors.match import Match, MatchConfig
from cordwood.detectors.surge import Surge, SurgeConfig
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.notifiers.email import Email, EmailConfig
from cordwood.notifiers.webhook import Webhook, WebhookConfig
from cordwood.plugins import Batch, load_plugins, now_ns
from prometheus_client import CollectorRegistry

from ..notifiers.test_email import Peer

pytestmark = pytest.mark.anyio


class Receiver(ThreadingHTTPServer):
    """Answers 503 until it is up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.up, self.refused = True, 0
        self.got: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.up:
            self.server.got.append(body)
        else:
            self.server.refused += 1
        self.send_response(200 if self.server.up else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def commit(store: Store, service: str, count: int) -> None:
    events = [{"severity": "error", "service": service, "message": f"card declined {i}"} for i in range(count)]
    await (await store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()


async def test_a_threshold_tells_a_webhook(
    store: Store, data_dir: Path, receiver: Receiver, background: Any, eventually: Any
) -> None:
    engine = QueryEngine(
        catalog=store.catalog, cache=store.cache, memory_limit="512MiB", threads=1, spill=data_dir / "spill"
    )
    errors = Threshold(
        ThresholdConfig(
            query="severity>=error | stats count() as n by service",
            condition="n > 50",
            window="4s",
            every="1s",
            resolve_after="0s",
            notify=["hook"],
        )
    )
    hook = Webhook(WebhookConfig(url=f"http://127.0.0.1:{receiver.server_address[1]}/x"))
    service = AlertingService(store, engine, link=lambda id_: f"http://c/{id_}", metrics=CollectorRegistry())
    async with background(service.run_plugins, 1, {"errors": errors}, {"hook": hook}):
        await commit(store, "pay", 30)
        await commit(store, "web", 50)
        await anyio.sleep(1.2)
        assert receiver.got == []
        receiver.up = False
        await commit(store, "pay", 30)
        assert await eventually(lambda: receiver.refused) < 5
        receiver.up = True
        await eventually(lambda: receiver.got)
        await eventually(lambda: len(receiver.got) == 2, 15)
    opened, resolved = receiver.got
    assert (opened["event"], resolved["event"]) == ("opened", "resolved")
    assert opened["title"] == "errors: n = 60 (n > 50) for service pay"
    assert opened["group"] == {"service": "pay"}
    assert len(opened["samples"]) == 5
    assert all(event["service"] == "pay" and "card declined" in event["message"] for event in opened["samples"])
    assert opened["link"] == f"http://c/{opened['incident_id']}"
    assert opened["delivery_id"] != resolved["delivery_id"]
    (incident,) = (await AlertingRepository(store.pool).list_incidents(1)).items
    assert (incident.state, incident.query) == ("resolved", 'severity>=error service="pay"')
    (detector,) = (await AlertingRepository(store.pool).list_detectors(1)).items
    assert (detector.condition, detector.window, detector.state) == ("n > 50", "4s", "ok")


async def test_late_events_beside_new_ones(
    store: Store, data_dir: Path, background: Any, eventually: Any, scripted: Any
) -> None:
    """One commit from five minutes ago to now: the windows of its late events are judged, and not all in between."""
    asked: list[str] = []

    class Counted(QueryEngine):
        async def run(self, request: QueryRequest, progress: Any = None) -> QueryResult:
            asked.append(request.text)
            return await super().run(request, progress)

    engine = Counted(
        catalog=store.catalog, cache=store.cache, memory_limit="512MiB", threads=1, spill=data_dir / "spill"
    )

    errors = Threshold(
        ThresholdConfig(
            query="* | stats count() as n by service", condition="n > 5", window="10s", every="1s", notify=["channel"]
        )
    )
    told: list[Any] = []
    channel = scripted.Tell(lambda notification: told.append(notification) or "noted")
    service = AlertingService(store, engine, link=lambda _: "", metrics=CollectorRegistry())
    async with background(service.run_plugins, 1, {"errors": errors}, {"channel": channel}):
        await eventually(lambda: asked)
        now = now_ns()
        late = [{"service": "pay", "timestamp": now - 300_000_000_000 + i} for i in range(6)]
        scattered = [{"service": f"s{i}", "timestamp": now - i * 60_000_000_000} for i in range(12)]
        events = [{"message": "boom", **event} for event in [*late, *scattered, {"service": "web", "timestamp": now}]]
        await (await store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()
        await eventually(lambda: [notification.event for notification in told] == ["opened", "resolved"])
        assert told[0].group == {"service": "pay"}
        assert len(told[0].samples) == 5
    assert len(asked) < 60  # of the 180 windows that the segment spans


async def test_a_surge_tells_a_webhook(
    store: Store, data_dir: Path, receiver: Receiver, clock: Any, background: Any, eventually: Any
) -> None:
    """Nine days of orders, then six times as many for half an hour, then as many as ever."""
    engine = QueryEngine(
        catalog=store.catalog, cache=store.cache, memory_limit="512MiB", threads=1, spill=data_dir / "spill"
    )
    second = 1_000_000_000
    noon, half_an_hour = clock.now, 1800 * second

    async def orders(begin: int, end: int, count: int) -> None:
        events = [
            {"message": f"order {i}", "service": "shop", "timestamp": at + i * second}
            for at in range(begin, end, half_an_hour)
            for i in range(count)
        ]
        await (await store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()

    await orders(noon - 9 * 48 * half_an_hour, noon, 20)
    surge = Surge(SurgeConfig(query="order", by=["service"], bin="30m", window="1h", every="100ms", notify=["hook"]))
    hook = Webhook(WebhookConfig(url=f"http://127.0.0.1:{receiver.server_address[1]}/x"))
    service = AlertingService(store, engine, link=lambda _: "", metrics=CollectorRegistry(), clock=clock)
    async with background(service.run_plugins, 1, {"orders": surge}, {"hook": hook}):
        repository = AlertingRepository(store.pool)

        async def ran() -> bool:
            return any(item.last_run_at for item in (await repository.list_detectors(1)).items)

        await eventually(ran)
        assert receiver.got == []
        await orders(noon, noon + half_an_hour, 120)  # before the clock: an empty half hour would be a drop
        clock.forward(1800)
        await eventually(lambda: len(receiver.got) == 1)
        await orders(noon + half_an_hour, noon + 3 * half_an_hour, 20)
        clock.forward(3600)
        await eventually(lambda: len(receiver.got) == 2, 15)
    opened, resolved = receiver.got
    assert (opened["event"], resolved["event"]) == ("opened", "resolved")
    assert opened["group"] == {"service": "shop"}
    assert opened["title"].startswith("orders: count() 120 in 30m, ")
    assert opened["values"]["direction"] == "up"
    assert opened["values"]["lower"] < 20 < opened["values"]["upper"] < 120
    assert [event["message"] for event in opened["samples"]] == [f"order {i}" for i in range(119, 114, -1)]


async def test_a_digest_reaches_a_webhook_and_a_mailbox(
    store: Store, engine: QueryEngine, receiver: Receiver, background: Any, eventually: Any
) -> None:
    """Six incidents at once for channels that take two messages in six seconds; the webhook refuses the digest once."""
    limit = {"messages": 2, "within": "6s"}
    broken = Match(MatchConfig(query="broken", by=["service"], window="10m", every="1s", notify=["hook", "mail"]))
    hook = Webhook(WebhookConfig(url=f"http://127.0.0.1:{receiver.server_address[1]}/x", rate_limit=limit))
    services = [f"s{i}" for i in range(6)]
    async with Peer() as smtp:
        mail = Email(EmailConfig(**smtp.settings, rate_limit=limit))
        service = AlertingService(store, engine, link=lambda id_: f"http://c/{id_}", metrics=CollectorRegistry())
        async with background(service.run_plugins, 1, {"broken": broken}, {"hook": hook, "mail": mail}):
            events = [{"service": name, "severity": "error", "message": "broken"} for name in services]
            await (await store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()
            await eventually(lambda: len(receiver.got) == 2, 30)
            receiver.up = False
            await eventually(lambda: receiver.refused, 30)
            receiver.up = True
            await eventually(lambda: len(receiver.got) == 3, 30)
            await eventually(lambda: len(smtp.server.mails) == 3, 30)

            async def history_of() -> list[Any]:
                return (await AlertingRepository(store.pool).list_notifications(1)).items

            async def all_are_sent() -> bool:
                return {one.status for one in await history_of()} == {"sent"}

            await eventually(all_are_sent, 30)
            history = await history_of()
    *alone, digest = receiver.got
    assert [one["event"] for one in receiver.got] == ["opened", "opened", "digest"]
    assert (digest["title"], digest["values"], digest["link"]) == (
        "4 notifications: 4 opened",
        {"opened": 4},
        "http://c/0",
    )
    inside = {one.delivery_id: one for one in history if one.notifier == "hook" and one.digest == digest["delivery_id"]}
    assert [one["delivery_id"] for one in digest["samples"]] == sorted(inside, key=lambda id_: inside[id_].id)
    assert {one.status for one in history} == {"sent"}
    attempts = next(iter(inside.values())).attempts
    assert (attempts[0].ok, attempts[-1].ok, attempts[-1].detail) == (False, True, "in a digest: 200 OK")
    told = [one["group"]["service"] for one in alone]
    assert sorted([*told, *(one["message"].rpartition(" ")[2] for one in digest["samples"])]) == services
    first, second, last = smtp.server.mails
    assert last["Subject"] == "[ERROR] 4 notifications: 4 opened"
    ids = {one.digest for one in history if one.notifier == "mail" and one.digest is not None}
    assert len(ids) == 1
    assert f"<{ids.pop()}@" in last["Message-ID"]
    text = last.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    named = [name for name in services if f"for service {name}" in text]
    assert len(named) == 4
    assert all(not any(f"service {name}" in str(one["Subject"]) for name in named) for one in (first, second))


async def test_a_changed_file_while_incidents_are_open(
    store: Store, engine: QueryEngine, receiver: Receiver, background: Any, eventually: Any
) -> None:
    """The bound, the query, the detector itself: who is in trouble before and after is told once, others are over."""
    registry = load_plugins()

    def config(detector: str) -> Config:
        hook = f"notifiers: {{hook: {{type: webhook, url: 'http://127.0.0.1:{receiver.server_address[1]}/x'}}}}"
        return load_text(f"version: 1\n{hook}\ndetectors: {{{detector}}}\n", registry)

    def errors(condition: str, search: str = "severity>=error") -> str:
        return (
            f"errors: {{type: threshold, query: '{search} | stats count() as n by service', condition: '{condition}', "
            "window: 10m, every: 1s, resolve_after: 0s, notify: [hook]}"
        )

    def told() -> list[tuple[str, str]]:
        """Each once: what was on its way when the file changed comes again under its id."""
        return [
            (one["event"], one["group"]["service"])
            for one in {one["delivery_id"]: one for one in receiver.got}.values()
        ]

    service = AlertingService(store, engine, link=lambda id_: f"/{id_}", metrics=CollectorRegistry())
    repository = AlertingRepository(store.pool)
    async with background(service.run, 1, config(errors("n > 4"))):
        await commit(store, "pay", 9)
        await commit(store, "web", 5)
        await eventually(lambda: len(told()) == 2, 60)
        await service.reload(config(errors("n > 7")))
        await eventually(lambda: len(told()) == 3, 60)
        assert told()[2] == ("resolved", "web")
        await service.reload(config(errors("n > 7", "severity>=warn declined")))

        async def ran_again() -> bool:
            (one,) = (await repository.list_detectors(1)).items
            return (
                one.query is not None and "warn" in one.query and one.last_run_at is not None and one.state != "error"
            )

        await eventually(ran_again, 60)
        await commit(store, "db", 8)
        await eventually(lambda: len(told()) == 4, 60)
        await service.reload(config(""))
        await eventually(lambda: len(told()) == 6, 60)
    assert sorted(told()[:2]) == [("opened", "pay"), ("opened", "web")]
    assert told()[3] == ("opened", "db")
    assert sorted(told()[4:]) == [("resolved", "db"), ("resolved", "pay")]
    incidents = (await repository.list_incidents(1)).items
    assert sorted((one.group["service"], one.state) for one in incidents) == [
        ("db", "resolved"), ("pay", "resolved"), ("web", "resolved")
    ]  # fmt: skip
