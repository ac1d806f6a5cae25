"""`/api/v1/session/reset`: a link by mail, or of an administrator, and another password by it."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cordwood.config import ConfigErrors, load_text
from cordwood.core.runtime import Node
from cordwood.core.storage.audit import AuditFilter, audit_entries
from cordwood.plugins import load_plugins
from cordwood.web import create_app
from cordwood.web.auth import accounts, projects

from ..notifiers.test_email import Smtp
from .test_accounts import browser_of

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
ADA, BOB = "ada@example.org", "bob@example.org"
RESET = "/api/v1/session/reset"
CONFIG = """
version: 1
sign_in: {mail: letters}
notifiers:
  letters: {type: email, host: 127.0.0.1, port: PORT, tls: none, sender: cordwood@example.com, to: [ops@example.com]}
  hook: {type: webhook, url: "http://127.0.0.1:1/"}
"""


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    server = Smtp()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.thawed.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def mailing(node: Node, smtp: Smtp) -> Node:
    """A node that mails links; Ada is its administrator, Bob a viewer."""
    text = CONFIG.replace("PORT", str(smtp.server_address[1]))
    made = load_text(text, node.registry)
    node.config = replace(node.config, notifiers=made.notifiers, sign_in=made.sign_in)
    await accounts.add_user(node.store.pool, ADA, PASSWORD, is_admin=True)
    await accounts.add_user(node.store.pool, BOB, PASSWORD)
    return node


@pytest.fixture
async def admin(mailing: Node, client_of: Callable[..., Client]) -> AsyncIterator[Client]:
    """A browser in which Ada has signed in."""
    async with client_of(create_app(mailing)) as client:
        assert (await client.post("/api/v1/session", json={"email": ADA, "password": PASSWORD})).status_code == 200
        yield client


def links(smtp: Smtp) -> list[str]:
    """The secrets that were mailed, by the links of this node."""
    lines = [line for mail in smtp.mails for line in mail.get_content().splitlines()]
    found = (re.fullmatch(r"http://127\.0\.0\.1:\d+/reset-password#(cwr_\S+)", line) for line in lines)
    return [match[1] for match in found if match]


async def entries(node: Node, what: str) -> list[dict[str, Any]]:
    found = await audit_entries(node.store.pool, AuditFilter(what=what), before=2**62, limit=100)
    return [entry.details for entry in found]


async def test_the_link_changes_the_password_once_and_ends_all_sessions(
    admin: Client, mailing: Node, smtp: Smtp
) -> None:
    bob = await browser_of(admin, BOB, PASSWORD)
    assert (await bob.get("/api/v1/session")).json()["mails_links"] is True
    asked = await bob.post(RESET, json={"email": BOB.upper()}, headers={"Host": "evil.example"})
    assert (asked.status_code, asked.content) == (204, b"")
    (secret,) = links(smtp)
    assert smtp.mails[0]["To"] == BOB
    assert "evil.example" not in smtp.mails[0].as_string()
    stored = await mailing.store.pool.fetchrow("select * from password_reset")
    assert secret not in str(dict(stored or {}))
    assert (await bob.put(RESET, json={"token": secret, "new": "short"})).status_code == 400
    assert (await bob.get("/api/v1/status")).status_code == 200  # nothing changed yet
    assert (await admin.put(RESET, json={"token": secret, "new": "another horse"})).status_code == 204
    assert (await bob.get("/api/v1/status")).status_code == 401
    assert (await admin.get("/api/v1/status")).status_code == 200
    assert (await bob.post("/api/v1/session", json={"email": BOB, "password": PASSWORD})).status_code == 401
    again = await browser_of(admin, BOB, "another horse")
    used = await again.put(RESET, json={"token": secret, "new": "third horse"})
    assert (used.status_code, "over" in used.json()["detail"]) == (404, True)
    assert await entries(mailing, "user.reset_link") == [{"by": "mail", "email": BOB}]
    assert await entries(mailing, "user.change_password") == [{"by": "link", "email": BOB}]
    assert secret not in (await admin.get("/api/v1/audit/export")).text
    await bob.aclose()
    await again.aclose()


async def test_everybody_gets_the_same_answer_before_any_mail_is_sent(
    mailing: Node, smtp: Smtp, listening: Any, client_of: Callable[..., Client]
) -> None:
    smtp.behaviour = "hang"  # each answer of the SMTP server waits
    async with listening(create_app(mailing)) as url, client_of(None) as unused:
        made = type(unused)(base_url=url, timeout=30)
        with anyio.fail_after(30):
            answers = [await made.post(RESET, json={"email": email}) for email in (BOB, "nobody@example.org")]
            assert smtp.mails == []
            smtp.behaviour = "success"
            smtp.thawed.set()
            while not smtp.mails:
                await anyio.sleep(0.02)
        await made.aclose()
    known, unknown = ((a.status_code, a.content, sorted(set(a.headers) - {"date"})) for a in answers)
    assert known == unknown
    assert [mail["To"] for mail in smtp.mails] == [BOB]


async def test_who_gets_no_mail(admin: Client, mailing: Node, smtp: Smtp) -> None:
    pool = mailing.store.pool
    await accounts.add_service_account(pool, "ci-bot")
    await accounts.disable_user(pool, BOB)
    async with pool.acquire() as connection:
        await accounts.add_member(connection, "cy@example.org", role="viewer", project="default", by="test")
    for email in (BOB, "ci-bot", "cy@example.org", "nobody@example.org", "no\0address"):
        assert (await admin.post(RESET, json={"email": email})).status_code == 204
    assert smtp.seen == []


async def test_what_ends_a_link(admin: Client, mailing: Node, smtp: Smtp) -> None:
    pool = mailing.store.pool
    (bob,) = [user.id for user in await accounts.list_users(pool) if user.email == BOB]
    ends: dict[str, Callable[[], Any]] = {
        "time": lambda: pool.execute("update password_reset set expires_at = now() - interval '1 second'"),
        "another password": lambda: accounts.reset_password(pool, bob),
        "closing": lambda: accounts.disable_user(pool, BOB),
    }
    for why, end in ends.items():
        await admin.post(RESET, json={"email": BOB})
        await end()
        answer = await admin.put(RESET, json={"token": links(smtp)[-1], "new": "another horse"})
        assert answer.status_code == 404, why
    assert len(links(smtp)) == 3
    for nonsense in ("", "cwr_", "x" * 101, "\0"):
        assert (await admin.put(RESET, json={"token": nonsense, "new": "another horse"})).status_code in (400, 404)


async def test_mail_is_not_sent_for_ever(admin: Client, smtp: Smtp) -> None:
    statuses = [(await admin.post(RESET, json={"email": BOB})).status_code for _ in range(6)]
    assert statuses == [204] * 5 + [429]
    refused = await admin.post(RESET, json={"email": "nobody@example.org"})  # of this client: whoever it asks for
    assert (refused.status_code, refused.headers["Retry-After"].isdigit()) == (429, True)
    assert len(smtp.mails) == 5


async def test_five_links_of_an_account_count_at_a_time(admin: Client, mailing: Node) -> None:
    (bob,) = [user for user in (await admin.get("/api/v1/users")).json()["items"] if user["email"] == BOB]
    made = [(await admin.post(f"/api/v1/users/{bob['id']}/reset-link")).json()["link"] for _ in range(7)]
    assert await mailing.store.pool.fetchval("select count(*) from password_reset") == 5
    for link, status in ((made[0], 404), (made[6], 204), (made[5], 404)):
        body = {"token": link.partition("#")[2], "new": "another horse"}
        assert (await admin.put(RESET, json=body)).status_code == status


async def test_a_mail_that_cannot_be_sent_is_for_the_operator_to_read(
    admin: Client, mailing: Node, smtp: Smtp, caplog: pytest.LogCaptureFixture
) -> None:
    smtp.behaviour = "permanent"
    assert (await admin.post(RESET, json={"email": BOB})).status_code == 204
    (told,) = await entries(mailing, "user.reset_not_mailed")
    assert told["email"] == BOB
    assert "550" in told["why"]
    assert "sign_in.mail" in caplog.text
    assert "cwr_" not in caplog.text


async def test_an_administrator_s_link_needs_no_mail(admin: Client, mailing: Node) -> None:
    pool = mailing.store.pool
    mailing.config = replace(mailing.config, sign_in=type(mailing.config.sign_in)())
    assert (await admin.post(RESET, json={"email": BOB})).status_code == 404
    assert (await admin.get("/api/v1/session")).json()["mails_links"] is False
    await projects.add_project(pool, "shop")
    await accounts.add_user(pool, "sam@example.org", PASSWORD, role="admin", project="shop")
    await accounts.add_service_account(pool, "ci-bot")
    numbers = {user["email"]: user["id"] for user in (await admin.get("/api/v1/users")).json()["items"]}
    sam = await browser_of(admin, "sam@example.org", PASSWORD)
    for who, of, status in ((admin, BOB, 201), (admin, "ci-bot", 409), (sam, BOB, 404), (sam, "sam@example.org", 201)):
        assert (await who.post(f"/api/v1/users/{numbers[of]}/reset-link")).status_code == status, of
    await accounts.disable_user(pool, BOB)
    assert (await admin.post(f"/api/v1/users/{numbers[BOB]}/reset-link")).status_code == 409
    assert {"email": BOB, "by": "link"} in await entries(mailing, "user.reset_link")
    await sam.aclose()


async def test_a_second_factor_stays(admin: Client, mailing: Node, smtp: Smtp) -> None:
    await mailing.store.pool.execute(
        "insert into totp (user_id, secret, confirmed) select id, 'x', true from user_account where email = $1", BOB
    )
    await admin.post(RESET, json={"email": BOB})
    assert (await admin.put(RESET, json={"token": links(smtp)[0], "new": "another horse"})).status_code == 204
    answer = await admin.post("/api/v1/session", json={"email": BOB, "password": "another horse"})
    assert answer.json()["type"] == "urn:cordwood:problem:code-needed"


@pytest.mark.parametrize(
    ("mail", "message"), [("leters", "no notifier named leters"), ("hook", "writes to no single person")]
)
def test_the_file_names_one_that_can_mail(mail: str, message: str) -> None:
    text = CONFIG.replace("mail: letters", f"mail: {mail}").replace("PORT", "25")
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, load_plugins())
    (error,) = caught.value.errors
    assert (error.line, error.column, message in str(error)) == (3, 17, True)
