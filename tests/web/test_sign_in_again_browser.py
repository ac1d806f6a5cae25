"""A fresh sign-in before what gives lasting power, and keys for pages, in a real Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import anyio.from_thread
import asyncpg
import pytest
from cordwood.core.storage.embedded import EmbeddedPostgres
from playwright.sync_api import Browser, expect

from ..conftest import Server
from . import shop
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_settings_browser import EMAIL, looked_at

browser, faults = shop.browser, shop.faults
pytestmark = pytest.mark.browser


def executed(server: Server, statement: str) -> None:
    """Run a statement in the server's database."""

    async def run() -> None:
        arguments = EmbeddedPostgres(server.data_dir).connect_args
        connection = await asyncpg.connect(**arguments, server_settings={"search_path": "cordwood"})
        await connection.execute(statement)
        await connection.close()

    with anyio.from_thread.start_blocking_portal() as portal:  # the browser's own loop runs in this thread
        portal.call(run)


def test_who_signed_in_long_ago_shows_it_again_and_goes_on(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    """A token of scope admin: asked for, a wrong password, the right one, and it is made. Then keys for pages."""
    server = make_server()
    server.start()
    faults.expected = r"status of (400|401|403)"
    first = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    assert server.call("POST", "/api/v1/session/first", first, {"Content-Type": "application/json"})[0] == 201
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        page.goto(f"{server.url}/settings/tokens")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name").fill("deploy")
        executed(server, "update session set confirmed_at = now() - interval '6 minutes'")
        page.get_by_label("admin").check()
        page.get_by_role("button", name="Create a token").click()
        again = page.get_by_role("region", name="Sign in again")
        expect(again).to_contain_text(EMAIL)
        expect(again.get_by_label("Password")).to_be_focused()
        looked_at(page, "sign-in-again")
        page.keyboard.type("wrong horse")
        page.keyboard.press("Enter")
        expect(again.get_by_role("alert")).to_contain_text("wrong")
        again.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Token deploy")).to_contain_text("it is not shown again")
        expect(again).to_have_count(0)
        expect(page.get_by_role("row", name=re.compile("^deploy"))).to_contain_text("admin, ingest")

        page.get_by_role("button", name="Done").click()
        page.get_by_label("Name").fill("shop")
        page.get_by_label("Origins").fill("https://shop.example/cart")
        expect(page.get_by_role("group", name="Scopes")).to_have_count(0)
        page.get_by_role("button", name="Create a token").click()
        expect(page.get_by_role("alert")).to_contain_text("write it as https://shop.example, without a path")
        looked_at(page, "tokens-origins")
        page.get_by_label("Origins").fill("https://shop.example, https://www.shop.example")
        page.get_by_role("button", name="Create a token").click()
        key = page.get_by_role("row", name=re.compile("^shop"))
        expect(key).to_contain_text("https://shop.example, https://www.shop.example")
        expect(key).not_to_contain_text("admin")
        expect(page.get_by_label("Put this into the pages", exact=True)).to_contain_text("/cordwood.js")
        looked_at(page, "tokens-keys")
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
