"""The bell over HTTP: each account has its own, in each browser the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth import accounts

from .test_accounts import PASSWORD, browser_of
from .test_alerts import opened

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PATH = "/api/v1/bell"


async def bell(client: Client) -> tuple[int, int]:
    answer = await client.get(PATH)
    assert answer.status_code == 200, answer.text
    return answer.json()["unread"], answer.json()["read_upto"]


async def read(client: Client, upto: int) -> Any:
    answer = await client.put(PATH, json={"read_upto": upto})
    return answer.json() if answer.status_code == 200 else answer.status_code


async def test_each_account_has_its_own(node: Node, client_of: Callable[..., Client]) -> None:
    for name in ("ann", "bob"):
        await accounts.add_user(node.store.pool, f"{name}@example.org", PASSWORD, role="viewer", project="default")
    first, second = await opened(node, 1), await opened(node, 2)
    async with client_of(create_app(node)) as client:
        ann, again, bob = [await browser_of(client, f"{name}@example.org", PASSWORD) for name in ("ann", "ann", "bob")]
        assert await bell(ann) == await bell(bob) == (2, 0)
        assert await read(ann, first) == {"unread": 1, "read_upto": first}
        assert await bell(again) == (1, first)
        assert await bell(bob) == (2, 0)
        assert await read(again, second) == {"unread": 0, "read_upto": second}
        assert await bell(ann) == (0, second)
        third = await opened(node, 3)
        assert await bell(ann) == (1, second)
        assert await bell(bob) == (3, 0)
        await node.store.pool.execute("update incident set state = 'acknowledged' where id = $1", third)
        assert await bell(ann) == (0, second)
    await node.store.pool.execute("delete from user_account where email = 'ann@example.org'")
    assert await node.store.pool.fetchval("select count(*) from bell") == 0


async def test_what_was_seen_stays_seen_and_nothing_is_seen_before_it_is_there(node: Node, client: Client) -> None:
    assert await bell(client) == (0, 0)
    assert await read(client, 2**63 - 1) == {"unread": 0, "read_upto": 0}
    number = await opened(node, 1)
    assert await bell(client) == (1, 0)
    assert await read(client, number + 100) == {"unread": 0, "read_upto": number}
    assert await read(client, 0) == {"unread": 0, "read_upto": number}
    assert await read(client, 2**63) == {"unread": 0, "read_upto": number}
    assert await read(client, -1) == 400
    assert (await client.put(PATH, json={})).status_code == 400
    assert await node.store.pool.fetchval("select count(*) from bell") == 1
