"""What incidents and notifications keep of events that are deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cordwood.core.alerting.scrub import Hider, scrub
from cordwood.core.query.masked import values
from cordwood.core.query.parser import parse
from cordwood.core.storage.database import open_pool
from cordwood.core.storage.erase import Search
from cordwood.plugins import now_ns

pytestmark = pytest.mark.anyio

ADA = {"timestamp": "2026-01-31T12:00:00.000000000Z", "severity": "ERROR", "user": "ada", "message": "card declined"}
BOB = ADA | {"user": "bob"}
HOUR = 3_600_000_000_000


async def incident(pool: asyncpg.Pool, title: str, group: dict[str, Any], *samples: dict[str, Any]) -> int:
    number: int = await pool.fetchval(
        """
        insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query,
                              from_time, to_time, opened_at, last_seen_at, samples, timeline)
        values (1, 'errors', $1, 'open', 'ERROR', $1, $2, '{"n": 51}', $1, '2026-01-31T11:55:00Z',
                '2026-01-31T12:00:00Z', now(), now(), $3, '[]')
        returning id
        """,
        title,
        group,
        list(samples),
    )
    await pool.execute(
        "insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, "
        "next_attempt_at) values (1, $1, 'oncall', 'webhook', 'opened', $2, now(), now())",
        number,
        {"title": title, "group": group, "values": {"n": 51}},
    )
    return number


async def scrubbed(pool: asyncpg.Pool, text: str, **more: Any) -> list[dict[str, Any]]:
    search = Search(project_id=1, text=text, now_ns=now_ns(), **more)
    async with pool.acquire() as connection, connection.transaction():
        await scrub(connection, search)
    return [
        dict(row)
        for row in await pool.fetch(
            'select i.title, i.dedup_key, i."group", i.query, i.samples, n.payload '
            "from incident i join notification n on n.incident_id = i.id order by i.id"
        )
    ]


@pytest.fixture
async def pool(database_url: str, data_dir: Path) -> Any:
    made = await open_pool({"dsn": database_url})
    yield made
    await made.close()


async def test_samples_that_are_found_go(pool: asyncpg.Pool) -> None:
    long = BOB | {"message": "x" * 2000 + "…"}
    await incident(pool, "errors", {}, ADA, BOB, long)
    (row,) = await scrubbed(pool, "user:ada severity>=error")
    assert row["samples"] == [BOB]  # one that was cut may have been found whole
    assert (row["title"], row["dedup_key"]) == ("errors", "errors")


async def test_only_samples_in_the_range_go(pool: asyncpg.Pool) -> None:
    await incident(pool, "errors", {}, ADA)
    at = 1_769_860_800_000_000_000
    assert (await scrubbed(pool, "user:ada", from_ns=at + 1))[0]["samples"] == [ADA]
    assert (await scrubbed(pool, "user:ada", to_ns=at))[0]["samples"] == [ADA]
    assert (await scrubbed(pool, "user:ada", from_ns=at, to_ns=at + 1))[0]["samples"] == []


async def test_groups_titles_and_messages_are_hidden(pool: asyncpg.Pool) -> None:
    await incident(pool, "errors: user=ada@example.org", {"user": "ada@example.org", "service": "shop"})
    await incident(pool, "errors: user=bob@example.org", {"user": "bob@example.org", "service": "shop"})
    await incident(pool, "errors: ip=10.1.2.3 id=42", {"ip": "10.1.2.3", "id": 42})
    first, second, third = await scrubbed(pool, "user:ada@example.org service:shop")
    assert first["group"] == {"user": "…", "service": "shop"}
    assert (first["title"], first["query"]) == ("errors: user=…", "errors: user=…")
    assert first["dedup_key"] == "errors: user=…#1"
    assert first["payload"] == {"title": "errors: user=…", "group": first["group"], "values": {"n": 51}}
    assert second["group"]["user"] == "bob@example.org"
    _, _, third = await scrubbed(pool, "ip:10.0.0.0/8")
    assert (third["group"], third["title"]) == ({"ip": "…", "id": 42}, "errors: ip=… id=42")
    _, _, third = await scrubbed(pool, "id:42")
    assert third["group"] == {"ip": "…", "id": "…"}


async def test_shaped_patterns_with_a_value_of_the_search_are_undone(pool: asyncpg.Pool) -> None:
    for project, name, texts in (
        (1, None, ["login of ada", "logout of ada"]),
        (1, "of Ada", ["<*> logs in"]),
        (1, "logins", ["<*> logged in from <*>"]),
        (1, None, ["hello adam"]),
    ):
        await pool.execute(
            "insert into shaped_pattern (project_id, name, patterns, created_by, changed_by) "
            "values ($1, $2, $3, '', '')",
            *(project, name, texts),
        )
    await scrubbed(pool, "user:ada")
    left = await pool.fetch("select name, patterns[1] as text from shaped_pattern order by id")
    assert [tuple(row) for row in left] == [("logins", "<*> logged in from <*>"), (None, "hello adam")]


@pytest.mark.parametrize(
    ("text", "value", "hidden"),
    [
        ("user:ada", "Ada, adam", "…, adam"),
        ("adalovelace", "AdaLovelace99", "…99"),
        ('"a b c"', ["x a b c y"], ["x … y"]),
        ("id:42", {"id": 42, "n": 42}, {"id": "…", "n": 42}),
        ("-user:ada", "ada", "ada"),
        ("user:ada*", "adam", "adam"),
        ("user:adal*", "adalovelace x", "… x"),
        ("severity>=error", "error", "error"),
        ("service:shop", "shop", "…"),
        ("service:shop user:ada", "shop", "shop"),
        ("*", "anything", "anything"),
    ],
)
def test_values_are_replaced(text: str, value: Any, hidden: Any) -> None:
    assert Hider(values(parse(text).search))(value) == hidden
