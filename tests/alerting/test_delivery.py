"""Delivery of the outbox under a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from cordwood.core.alerting.delivery import Delivery
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Step, by_key
from cordwood.core.alerting.metrics import AlertingMetrics
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import FatalError, Notification, RejectedError, RetryableError
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000


class Outbox:
    """A detector's findings come in, a notifier's deliveries go out."""

    def __init__(self, session: Session, store: Store, scripted: Any, clock: Any) -> None:
        self.session, self.store, self.scripted, self.clock = session, store, scripted, clock
        self.registry = CollectorRegistry()
        self.metrics = AlertingMetrics(self.registry)
        self.journal = Journal(session, 1, {"hook": "webhook", "mail": "email"})
        self.detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook"], resolve_after="0s"))
        self.got: list[Notification] = []

    async def judged(self, *groups: str, samples: Any = ()) -> None:
        found = by_key("errors", [self.scripted.finding("errors", group) for group in groups])
        step = Step(self.clock(), 300 * SECOND)
        await self.journal.record(
            "errors", self.detector, step, found, dict.fromkeys(found, samples),
            resolve_after_ns=0, position=None, now_ns=self.clock(),
        )  # fmt: skip

    def delivery(self, answer: Callable[[Notification], str], name: str = "hook") -> Delivery:
        def noted(notification: Notification) -> str:
            self.got.append(notification)
            return answer(notification)

        return Delivery(
            name, self.scripted.Tell(noted), session=self.session, project_id=1, link=lambda id_: f"http://c/{id_}",
            clock=self.clock, metrics=self.metrics, chance=lambda: 0.5,
        )  # fmt: skip

    async def history(self) -> list[Any]:
        return list(reversed((await AlertingRepository(self.store.pool).list_notifications(1)).items))

    def count(self, status: str) -> float | None:
        return self.registry.get_sample_value("cordwood_notifications_total", {"notifier": "hook", "status": status})


@pytest.fixture
async def outbox(session: Session, store: Store, scripted: Any, clock: Any) -> Outbox:
    made = Outbox(session, store, scripted, clock)
    await made.journal.enter({"errors": made.detector}, clock(), 0)
    return made


def fails(why: Exception) -> Callable[[Notification], str]:
    def answer(_: Notification) -> str:
        raise why

    return answer


async def test_what_is_delivered(outbox: Outbox) -> None:
    await outbox.judged("pay", samples=[{"message": "card declined 1"}])
    await outbox.delivery(lambda _: "200 OK").deliver_due()
    (sent,) = outbox.got
    (kept,) = await outbox.history()
    assert sent == Notification(
        delivery_id=kept.delivery_id,
        event="opened",
        incident_id=kept.incident_id,
        detector="errors",
        title="errors: {'service': 'pay'}",
        severity="ERROR",
        group={"service": "pay"},
        values={"n": 62},
        opened_at="2026-01-31T12:00:00.000000000Z",
        resolved_at=None,
        link=f"http://c/{kept.incident_id}",
        samples=[{"message": "card declined 1"}],
        project="default",
    )
    assert (kept.status, kept.sent_at, kept.error) == ("sent", "2026-01-31T12:00:00.000000000Z", None)
    assert [(attempt.ok, attempt.detail) for attempt in kept.attempts] == [(True, "200 OK")]
    assert outbox.count("sent") == 1


async def test_what_follows_knows_the_first_answer(outbox: Outbox, clock: Any) -> None:
    """So a channel can thread its messages. What failed before is no answer, nor is another notifier's."""
    await outbox.judged("pay", "web")
    await outbox.delivery(fails(RetryableError("503"))).deliver_due()
    clock.forward(60)
    await outbox.delivery(lambda one: f"posted {one.group['service']}").deliver_due()
    clock.forward(600)
    await outbox.judged()
    await outbox.delivery(lambda _: "posted again").deliver_due()
    assert [(one.event, one.group["service"], one.first) for one in outbox.got[2:]] == [
        ("opened", "pay", ""), ("opened", "web", ""),
        ("resolved", "pay", "posted pay"), ("resolved", "web", "posted web"),
    ]  # fmt: skip


async def test_retries_back_off_and_keep_every_answer(outbox: Outbox, clock: Any) -> None:
    await outbox.judged("pay")
    down = outbox.delivery(fails(RetryableError("503 Service Unavailable")))
    for wait in (1, 2, 4, 8):
        assert await down.deliver_due() == pytest.approx(wait)
        clock.forward(wait - 0.01)
        assert await down.deliver_due() == pytest.approx(0.01)
        clock.forward(0.01)
    await outbox.delivery(lambda _: "200 OK").deliver_due()
    (kept,) = await outbox.history()
    assert [attempt.detail for attempt in kept.attempts] == ["503 Service Unavailable"] * 4 + ["200 OK"]
    assert len({sent.delivery_id for sent in outbox.got}) == 1
    assert (kept.status, outbox.count("retried"), outbox.count("sent")) == ("sent", 4, 1)


async def test_retry_after_is_honoured(outbox: Outbox, clock: Any) -> None:
    await outbox.judged("pay")
    assert await outbox.delivery(fails(RetryableError("429", after=30))).deliver_due() == pytest.approx(30)


async def test_given_up_after_a_day(outbox: Outbox, clock: Any) -> None:
    await outbox.judged("pay")
    down = outbox.delivery(fails(RetryableError("503")))
    await down.deliver_due()
    clock.forward(24 * 3600 - 5)
    await down.deliver_due()
    clock.forward(5)
    await down.deliver_due()
    (kept,) = await outbox.history()
    assert (kept.status, kept.error, len(kept.attempts)) == ("failed", "503", 3)
    assert outbox.count("failed") == 1


@pytest.mark.parametrize(
    "why", [RejectedError("404 Not Found"), FatalError("token revoked")], ids=["rejected", "fatal"]
)
async def test_what_will_never_succeed_is_not_tried_again(outbox: Outbox, why: Exception) -> None:
    await outbox.judged("pay")
    await outbox.delivery(fails(why)).deliver_due()
    (kept,) = await outbox.history()
    assert (kept.status, kept.error) == ("failed", str(why))


async def test_a_defect_is_tried_again_and_keeps_its_words_to_itself(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    await outbox.judged("pay")
    await outbox.delivery(fails(KeyError("https://hooks.example/s3cret"))).deliver_due()
    (kept,) = await outbox.history()
    assert (kept.status, kept.error) == ("pending", "KeyError in the notifier")
    assert "s3cret" not in caplog.text
    assert "test_delivery.py" in caplog.text


async def test_resolved_waits_for_opened(outbox: Outbox, clock: Any) -> None:
    await outbox.judged("pay")
    down = outbox.delivery(fails(RetryableError("503")))
    await down.deliver_due()
    clock.forward(0.5)
    await outbox.judged()
    await down.deliver_due()
    assert [sent.event for sent in outbox.got] == ["opened"]
    clock.forward(10)
    up = outbox.delivery(lambda _: "200 OK")
    await up.deliver_due()
    await up.deliver_due()
    assert [sent.event for sent in outbox.got] == ["opened", "opened", "resolved"]
    assert outbox.got[-1].resolved_at == "2026-01-31T12:00:00.500000000Z"


async def test_resolved_goes_out_when_opened_was_refused(outbox: Outbox, clock: Any) -> None:
    await outbox.judged("pay")
    await outbox.delivery(fails(RejectedError("404"))).deliver_due()
    clock.forward(1)
    await outbox.judged()
    await outbox.delivery(lambda _: "200 OK").deliver_due()
    assert [kept.status for kept in await outbox.history()] == ["failed", "sent"]


async def test_a_dead_channel_delays_no_other(outbox: Outbox, clock: Any, scripted: Any) -> None:
    outbox.detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook", "mail"]))
    await outbox.judged("pay")
    hangs = outbox.delivery(lambda _: "")

    async def never(_: Notification) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    hangs._notifier.notify = never  # type: ignore[method-assign]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hangs.run)
        await anyio.sleep(0.1)
        with anyio.fail_after(2):
            await outbox.delivery(lambda _: "200 OK", "mail").deliver_due()
        tasks.cancel_scope.cancel()
    assert {kept.notifier: kept.status for kept in await outbox.history()} == {"hook": "pending", "mail": "sent"}


async def test_many_at_once_each_once(outbox: Outbox) -> None:
    await outbox.judged(*(f"s{i}" for i in range(11)))
    up = outbox.delivery(lambda _: "200 OK")
    while await up.deliver_due() == 0:
        pass
    assert sorted(sent.group["service"] for sent in outbox.got) == sorted(f"s{i}" for i in range(11))
    assert {kept.status for kept in await outbox.history()} == {"sent"}
