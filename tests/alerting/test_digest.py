"""`rate_limit`: what is too much for a channel comes as one digest when the time is over; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from cordwood.core.alerting.delivery import Delivery
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Notification, RateLimit, RejectedError, RetryableError, headline, plain_text
from pydantic import ValidationError

from .test_crash import Processes, processes  # noqa: F401 - a fixture
from .test_delivery import Outbox, fails

pytestmark = pytest.mark.anyio


class Limited(Outbox):
    """As `Outbox`, of a notifier that gets three messages a minute."""

    def delivery(self, answer: Callable[[Notification], str] = lambda _: "200 OK", name: str = "hook") -> Delivery:
        made = super().delivery(answer, name)
        limit = {"messages": 3, "within": "1m"}
        told = self.scripted.Tell(made._notifier.answer, rate_limit=limit)
        return Delivery(
            name, told, session=self.session, project_id=1, link=lambda id_: f"http://c/{id_}", clock=self.clock,
            metrics=self.metrics, chance=lambda: 0.5,
        )  # fmt: skip

    async def sent(self, answer: Callable[[Notification], str] = lambda _: "200 OK") -> list[str]:
        """What comes out now, by another process."""
        begin = len(self.got)
        await self.delivery(answer).once()
        return [f"{one.event} {one.group.get('service', '')}".strip() for one in self.got[begin:]]


@pytest.fixture
async def outbox(session: Session, store: Store, scripted: Any, clock: Any) -> Limited:
    made = Limited(session, store, scripted, clock)
    await made.journal.enter({"errors": made.detector}, clock(), 0)
    return made


async def test_what_is_too_much_is_one_digest(outbox: Limited, clock: Any) -> None:
    await outbox.judged(*"abcde")
    assert await outbox.sent() == ["opened a", "opened b", "opened c"]
    clock.forward(30)
    await outbox.judged("a", "b", "f")
    assert await outbox.sent() == []
    clock.forward(29)
    assert await outbox.delivery().deliver_due() == pytest.approx(1)
    clock.forward(1)
    assert await outbox.sent() == ["digest"]
    digest, history = outbox.got[-1], await outbox.history()
    assert headline(digest) == "[ERROR] 6 notifications: 3 opened, 3 resolved"
    assert (digest.link, digest.incident_id, digest.values) == ("http://c/0", 0, {"opened": 3, "resolved": 3})
    inside = [one for one in history if one.digest is not None]
    assert [one["delivery_id"] for one in digest.samples] == [one.delivery_id for one in inside]
    assert [(one["event"], one["message"][-4:-2]) for one in digest.samples] == [
        ("opened", "'d"), ("opened", "'e"), ("opened", "'f"), ("resolved", "'c"), ("resolved", "'d"), ("resolved", "'e")
    ]  # fmt: skip
    assert {(one.digest, one.status, one.attempts[0].detail) for one in inside} == {
        (digest.delivery_id, "sent", "in a digest: 200 OK")
    }
    assert plain_text(digest).splitlines()[2] == "[ERROR] errors: {'service': 'd'}"
    # The digest was the first message of the next window.
    await outbox.judged("a", "b", "f", *"ghi")
    assert await outbox.sent() == ["opened g", "opened h"]
    clock.forward(61)
    assert await outbox.sent() == ["opened i"]
    assert {one.status for one in await outbox.history()} == {"sent"}


async def test_a_window_begins_with_a_message(outbox: Limited, clock: Any) -> None:
    for groups in ("a", "ab", "abc", "abcd"):
        await outbox.judged(*groups)
        assert await outbox.sent() == [f"opened {groups[-1]}"]
        clock.forward(29)
    clock.forward(3600)
    await outbox.judged(*"abcdef")
    assert await outbox.sent() == ["opened e", "opened f"]


async def test_a_digest_that_fails_comes_again_as_it_was(outbox: Limited, clock: Any) -> None:
    await outbox.judged(*"abcde")
    await outbox.sent()
    clock.forward(60)
    assert await outbox.sent(fails(RetryableError("503"))) == ["digest"]
    await outbox.judged(*"abcdef")
    assert await outbox.sent() == ["opened f"]
    clock.forward(1)
    assert await outbox.sent() == ["digest"]
    first, again = (one for one in outbox.got if one.event == "digest")
    assert again == first
    tried = [one for one in await outbox.history() if one.digest]
    assert [[attempt.detail for attempt in one.attempts] for one in tried] == [
        ["in a digest: 503", "in a digest: 200 OK"]
    ] * 2


async def test_what_was_tried_by_itself_stays_so(outbox: Limited, clock: Any) -> None:
    """It may have arrived: in a digest it would come a second time, under another id."""
    await outbox.judged(*"abcdef")
    assert await outbox.sent(fails(RetryableError("timeout"))) == ["opened a", "opened b", "opened c"]
    await outbox.judged(*"bcdef")
    clock.forward(60)
    assert await outbox.sent() == ["digest", "opened a", "opened b"]
    assert outbox.got[3].values == {"opened": 3}
    clock.forward(60)
    assert await outbox.sent() == ["opened c", "resolved a"]
    assert len({one.delivery_id for one in outbox.got}) == 5


async def test_a_digest_that_is_refused_has_failed(outbox: Limited, clock: Any) -> None:
    await outbox.judged(*"abcde")
    await outbox.sent()
    clock.forward(60)
    await outbox.sent(fails(RejectedError("413")))
    assert [one.status for one in await outbox.history()] == ["sent"] * 3 + ["failed"] * 2


async def test_without_the_limit_a_digest_still_goes_out(outbox: Limited, clock: Any) -> None:
    await outbox.judged(*"abcde")
    await outbox.sent()
    clock.forward(60)
    await outbox.sent(fails(RetryableError("503")))
    clock.forward(2)
    await Outbox.delivery(outbox, lambda _: "200 OK").once()
    assert (outbox.got[-1].event, len(outbox.got)) == ("digest", 5)


async def test_a_digest_names_the_first_and_counts_the_others(outbox: Limited, clock: Any) -> None:
    await outbox.judged(*(f"s{i}" for i in range(90)))
    await outbox.sent()
    clock.forward(60)
    await outbox.sent()
    assert (len(outbox.got[-1].samples), outbox.got[-1].text) == (50, "and 37 more")
    assert outbox.got[-1].title == "87 notifications: 87 opened"
    assert {one.status for one in await outbox.history()} == {"sent"}


async def test_killed_while_it_gathers(processes: Processes, store: Store, eventually: Any) -> None:  # noqa: F811
    """The process is killed while messages and a digest are on the way: each notification comes, under one id only."""
    (processes.folder / "limit.json").write_text('{"messages": 2, "within": "1s"}')
    for i in range(2):
        processes.trouble(*(f"s{j}" for j in range(6 * i + 6)))
        process = processes.start()
        pid = process.pid
        await eventually(lambda pid=pid: pid in processes.runners, 30)
        await anyio.sleep(0.3 * i)
        process.kill()
        process.wait()
    processes.start()
    pid = processes.all[-1].pid
    await eventually(lambda: pid in processes.runners, 30)

    async def settled() -> bool:
        rows = await store.pool.fetchrow("select count(*), count(*) filter (where status = 'sent') from notification")
        return rows is not None and rows[0] == rows[1] == 12

    await eventually(settled, 60)
    told: dict[str, set[str]] = {}
    for delivery_id, event, about in processes.lines("told.log"):
        for one in about.split(",") if event == "digest" else [delivery_id]:
            told.setdefault(one, set()).add(delivery_id)
    expected = {
        str(row[0]): {str(row[1])} for row in await store.pool.fetch("select delivery_id, sent_as from notification")
    }
    assert told == expected


@pytest.mark.parametrize("within", ["0s", "25h", "100ms"])
def test_bounds(within: str) -> None:
    with pytest.raises(ValidationError, match="use 1s to 24h"):
        RateLimit(messages=1, within=within)
