"""Events go by age, by stream and by bytes: neither sooner than was said, nor others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cordwood.config import StoreSettings
from cordwood.core.runtime.configs import load_checked
from cordwood.core.storage.audit import AuditFilter, audit_entries
from cordwood.core.storage.retention import Expiry, Rules
from cordwood.plugins import load_plugins, now_ns

from .erasing import Site, opened

pytestmark = pytest.mark.anyio
LATER = timedelta(hours=1)
DAY = 86_400_000_000_000
YOUNGEST = now_ns() // 1000 * 1000 - DAY // 2  # half a day from every bound of these tests, however long they take


@pytest.fixture
async def site(database_url: str, data_dir: Path) -> AsyncIterator[Site]:
    async with opened(database_url, data_dir) as made:
        yield made


def settings(**values: Any) -> StoreSettings:
    return StoreSettings.model_validate(values)


def at(days: float) -> str:
    """The time so many days before the youngest event's."""
    return datetime.fromtimestamp((YOUNGEST - days * DAY) / 1e9, UTC).isoformat()


async def fill(site: Site, days: int = 12) -> None:
    """For each of the days back four events: debug and info of the services shop and audit."""
    for day in range(days):
        await site.write(
            *(
                {"timestamp": at(day), "severity": severity, "service": service, "day": day, "message": "x"}
                for severity in ("debug", "info")
                for service in ("shop", "audit")
            )
        )
    while await site.store.compactor.compact(1, now=datetime.now(UTC) + LATER):
        pass


async def kept(site: Site, text: str) -> list[int]:
    """The days of which a search still finds events."""
    return sorted({event["day"] for event in await site.found(text)})


async def applied(site: Site, **values: Any) -> list[Expiry]:
    """What the preview had said, after the rules were applied."""
    site.retention.settings = settings(**values)
    said = await site.retention.preview()
    before = (await site.found("| stats count() as n"))[0]["n"]
    await site.retention.apply()
    after = (await site.found("| stats count() as n"))[0]["n"]
    assert sum(expiry.events for expiry in said if expiry.rule != "max_bytes") == before - after
    return said


async def test_whole_segments_go_by_age(site: Site) -> None:
    await fill(site)
    await site.retention.apply()
    assert await kept(site, "*") == list(range(12))
    (said,) = await applied(site, retention="5d")
    assert await kept(site, "*") == [0, 1, 2, 3, 4]
    assert (said.rule, said.events, said.segments) == ("events", 28, 7)
    assert said.next_ns == YOUNGEST - 4 * DAY + 5 * DAY
    (entry,) = await audit_entries(site.store.pool, AuditFilter(what="retention"), before=1 << 60, limit=9)
    assert (entry.what, entry.details) == ("retention.age", {"segments": 7, "events": 28})
    await site.retention.apply()
    assert len(await audit_entries(site.store.pool, AuditFilter(), before=1 << 60, limit=9)) == 1


async def test_a_new_event_keeps_its_older_neighbours(site: Site) -> None:
    await site.write({"timestamp": at(40), "message": "old"}, {"timestamp": at(0), "message": "new"})
    await applied(site, retention="30d")
    assert len(await site.found()) == 2
    await site.store.compactor.compact(1, now=datetime.now(UTC) + LATER)  # each day gets a segment of its own
    await applied(site, retention="30d")
    assert [event["message"] for event in await site.found()] == ["new"]


async def test_a_stream_is_kept_shorter(site: Site) -> None:
    await fill(site)
    said = await applied(site, retention="10d", streams={"debug": {"retention": "3d"}})
    assert await kept(site, "severity:debug") == [0, 1, 2]
    assert await kept(site, "severity:info") == list(range(10))
    assert [(expiry.rule, expiry.query, expiry.events) for expiry in said] == [
        ("events", None, 8),
        ("debug", "severity:debug", 14),
    ]
    assert said[1].next_ns == YOUNGEST - 2 * DAY + 3 * DAY
    await site.store.compactor.compact(1, now=datetime.now(UTC) + LATER)
    assert await kept(site, "severity:debug") == [0, 1, 2]


async def test_a_stream_is_kept_longer(site: Site) -> None:
    await fill(site)
    await applied(site, retention="3d", streams={"audit": {"retention": "8d"}})
    assert await kept(site, "service:audit") == list(range(8))
    assert await kept(site, "service:shop") == [0, 1, 2]


async def test_of_several_streams_the_longest_keeps(site: Site) -> None:
    await fill(site)
    streams = {"debug": {"retention": "2d"}, "audited": {"query": "service:audit", "retention": "6d"}}
    await applied(site, streams=streams)
    assert await kept(site, "severity:debug service:shop") == [0, 1]
    assert await kept(site, "severity:debug service:audit") == [0, 1, 2, 3, 4, 5]
    assert await kept(site, "severity:info service:audit") == [0, 1, 2, 3, 4, 5]
    assert await kept(site, "severity:info service:shop") == list(range(12))


async def test_a_segment_is_opened_once_for_a_rule(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(site)
    looked: list[int] = []
    erase = site.retention._eraser.erase

    async def noted(job: str, segment: Any, *more: Any) -> int:
        looked.append(segment.id)
        return await erase(job, segment, *more)

    monkeypatch.setattr(site.retention._eraser, "erase", noted)
    for _ in range(3):
        await applied(site, streams={"debug": {"retention": "3d"}})
    assert len(looked) == len(set(looked)) == 9
    looked.clear()
    await applied(site, streams={"debug": {"retention": "2d"}})
    assert len(looked) == 1


async def test_a_project_has_its_own(site: Site) -> None:
    await fill(site)
    await applied(site, retention="1d", projects={"default": {"retention": "9d"}, "other": {"retention": "1d"}})
    assert await kept(site, "*") == list(range(9))
    await applied(site, retention="1d", projects={"default": {"streams": {"shop": {"retention": "2d"}}}})
    assert await kept(site, "*") == [0, 1]


async def test_the_oldest_go_until_the_rest_fits(site: Site) -> None:
    await fill(site)
    sizes = [segment.bytes for segment in await site.store.catalog.segments(1)]  # newest first
    site.retention.settings = StoreSettings.model_construct(max_bytes=sum(sizes[:5]) + 1)
    (said,) = await site.retention.preview()
    await site.retention.apply()
    assert await kept(site, "*") == [0, 1, 2, 3, 4]
    assert (said.rule, said.events, said.segments, said.bytes) == ("max_bytes", 28, 7, sum(sizes[5:]))
    (entry,) = await audit_entries(site.store.pool, AuditFilter(), before=1 << 60, limit=9)
    assert (entry.what, entry.project) == ("retention.max_bytes", "default")
    assert entry.details == {"segments": 7, "events": 28}
    site.retention.settings = StoreSettings.model_construct(max_bytes=1)
    await site.retention.apply()
    assert await kept(site, "*") == [0]


async def test_a_damaged_segment_does_not_stop_the_others(site: Site) -> None:
    await fill(site)
    segments = await site.store.catalog.segments(1)
    bad = segments[6]
    await site.store.pool.execute("update segment_file set data = 'wrong' where segment_id = $1", bad.id)
    site.store.cache.forget([bad.id])
    await applied(site, streams={"debug": {"retention": "3d"}})
    assert await kept(site, "severity:debug") == [0, 1, 2]
    assert bad.id in [segment.id for segment in await site.store.catalog.segments(1)]


def test_the_page_is_right(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "storage.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    file = tmp_path / "cordwood.yaml"
    file.write_text(block)
    store = load_checked(file, load_plugins()).store
    rules = Rules.of(store.of("default"))
    assert [(rule.name, rule.text, rule.age_ns // DAY) for rule in rules.rules] == [
        ("debug", "severity:debug", 3),
        ("events", "*", 30),
    ]
    assert rules.whole_ns == 365 * DAY
    assert store.of("staging").retention == timedelta(days=7)
    assert store.max_bytes == 50_000_000_000


def test_rules_say_what_goes_when() -> None:
    rules = Rules.of(settings(retention="7d", streams={"debug": {"retention": "1d"}, "a b": {"retention": "30d"}}))
    assert rules.whole_ns == 30 * DAY
    assert [(rule.name, rule.text, rule.age_ns // DAY, rule.excluded) for rule in rules.rules] == [
        ("debug", "severity:debug", 1, ('service:"a b"',)),
        ("events", "*", 7, ('service:"a b"',)),
    ]
    assert Rules.of(settings()) == Rules(None, ())
