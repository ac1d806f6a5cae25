"""Acknowledging without an account: by a notification's link, and by Slack's button."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from cordwood.config import load_text
from cordwood.core.alerting.links import VALID_S, Links, signing_key
from cordwood.core.runtime import Node
from cordwood.notifiers.slack import signature
from cordwood.plugins import load_plugins
from cordwood.web import create_app
from cordwood.web.auth.accounts import add_user

from .conftest import Client
from .test_alerts import opened

pytestmark = pytest.mark.anyio
SLACK = """
notifiers:
  hook: {type: webhook, url: "https://example.com/alerts"}
  chat: {type: slack, token: xoxb-hush, channel: "#ops", signing_secret: s3cret}
"""


@pytest.fixture
async def stranger(node: Node, client_of: Callable[..., Client]) -> Client:
    """Nobody: there are accounts, and this one has none."""
    await add_user(node.store.pool, "admin@example.org", "correct horse battery staple", role="admin")
    return client_of(create_app(node))


async def state(node: Node) -> tuple[str, str | None]:
    row = await node.store.pool.fetchrow("select state, timeline from incident")
    assert row is not None
    return row["state"], row["timeline"][-1]["by"]


async def test_looking_changes_nothing_and_the_button_acknowledges(node: Node, stranger: Client) -> None:
    number = await opened(node, 1)
    await node.store.pool.execute("update incident set title = '<b>pay</b>'")
    link = node.acknowledge_link(node.project_id, number, "mail")
    path = "/acknowledge/" + link.rpartition("/")[2]
    for method in ("GET", "GET", "HEAD"):
        answer = await stranger.request(method, path)
    answer = await stranger.get(path)
    assert answer.status_code == 200
    assert f"Acknowledge incident {number}?" in answer.text
    assert "&lt;b&gt;pay" in answer.text
    assert "<script" not in answer.text
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("same-origin", "no-store")
    assert await state(node) == ("open", None)
    answer = await stranger.post(path)
    assert f"Incident {number} is acknowledged" in answer.text
    assert await state(node) == ("acknowledged", "the link sent by mail")
    assert "<form" not in (await stranger.get(path)).text
    assert (await stranger.post(path)).status_code == 200


async def test_a_link_is_of_one_incident_and_no_other(node: Node, stranger: Client) -> None:
    number = await opened(node, 1)
    token = node.links.token(node.project_id, number, "mail")
    other = Links(b"another key").token(node.project_id, number, "mail")
    late = Links(
        await signing_key(node.store.pool, None), lambda: time.time_ns() - (VALID_S + 1) * 1_000_000_000
    ).token(node.project_id, number, "mail")
    elsewhere = node.links.token(node.project_id + 1, number, "mail")
    changed = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in (0, 20, 50, 60)]
    for wrong in (other, late, elsewhere, *changed, token[:40], "x", "%C3%A9", "a" * 1999):
        for answer in (await stranger.get(f"/acknowledge/{wrong}"), await stranger.post(f"/acknowledge/{wrong}")):
            assert answer.status_code == 404, wrong
    assert await state(node) == ("open", None)


async def test_the_secret_of_the_environment_changes_the_key(node: Node) -> None:
    pool = node.store.pool
    assert await signing_key(pool, "a") != await signing_key(pool, None) == await signing_key(pool, None)


async def test_slacks_button(node: Node, stranger: Client) -> None:
    number = await opened(node, 1)
    node.config = load_text(SLACK, load_plugins())
    token = node.links.token(node.project_id, number, "chat")
    said = {"user": {"username": "ann"}, "actions": [{"action_id": "cordwood_acknowledge", "value": token}]}
    body = urlencode({"payload": json.dumps(said)}).encode()
    stamp = str(int(time.time()))

    async def send(signed: str) -> int:
        headers = {
            "X-Slack-Signature": signed, "X-Slack-Request-Timestamp": stamp,
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        return (await stranger.post("/api/v1/slack/actions", content=body, headers=headers)).status_code

    assert await send(signature("another", stamp, body)) == 401
    assert await state(node) == ("open", None)
    assert await send(signature("s3cret", stamp, body)) == 200
    assert await state(node) == ("acknowledged", "ann in Slack")


async def test_a_browser_sends_the_form(node: Node, stranger: Client, client: Client) -> None:
    """With where it comes from, which a page of another server cannot claim."""
    number = await opened(node, 1)
    path = f"/acknowledge/{node.links.token(node.project_id, number, 'mail')}"
    assert (await stranger.post(path, headers={"Origin": "https://evil.example"})).status_code == 403
    assert await state(node) == ("open", None)
    host = str(stranger.base_url).rstrip("/")
    assert (await stranger.post(path, headers={"Origin": host})).status_code == 200
