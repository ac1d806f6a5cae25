"""Links for who has no account, in a real Chromium: made in Explore and on a dashboard, opened by a stranger, ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import Server
from . import shop
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_settings_browser import EMAIL, looked_at
from .test_shares import BOARD

browser, faults = shop.browser, shop.faults
KIND = {"Content-Type": "application/json"}


def made_link(page: Page) -> str:
    page.get_by_role("form", name="Share by a link").get_by_role("button", name="Create a link").click()
    return page.get_by_role("status").filter(has_text="Copy it now").locator("code").inner_text()


@pytest.mark.browser
def test_a_stranger_sees_what_was_shared_until_it_is_revoked(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    server = make_server()
    server.start()
    server.post([{"service": "checkout", "message": f"paid {n} <b>now</b>", "user": "ann"} for n in range(30)])
    assert server.call("POST", "/api/v1/dashboards", json.dumps(BOARD).encode(), KIND)[0] == 201
    first = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    assert server.call("POST", "/api/v1/session/first", first, KIND)[0] == 201
    faults.expected = r"status of (401|410)"
    with (
        browser.new_context(viewport={"width": 1440, "height": 900}) as context,
        browser.new_context(viewport={"width": 1440, "height": 900}) as elsewhere,
    ):
        page, stranger = context.new_page(), elsewhere.new_page()
        for one in (page, stranger):
            one.on("console", faults.note)
            one.on("pageerror", lambda why: faults.append(str(why)))
        page.goto(f"{server.url}/explore?q=service:checkout")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Export", exact=True).click()
        page.get_by_role("button", name=re.compile("^Share by a link")).click()
        shop.shot(page, "share-query")
        query = made_link(page)
        page.goto(f"{server.url}/dashboards/shop")
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Share by a link").click()
        shop.shot(page, "share-dashboard")
        board = made_link(page)

        stranger.goto(query)
        expect(stranger.get_by_role("heading", name="service:checkout")).to_be_visible()
        expect(stranger.get_by_role("list", name="Events").get_by_role("listitem")).to_have_count(30)
        expect(stranger.get_by_text("<b>now</b>").first).to_be_visible()
        looked_at(stranger, "shared-query")
        stranger.goto(board)
        expect(stranger.get_by_role("region", name="Events").locator("b")).to_have_text("30")
        expect(stranger.get_by_role("region", name="Users").get_by_role("cell", name="ann")).to_be_visible()
        looked_at(stranger, "shared-dashboard")

        page.goto(f"{server.url}/settings/shares")
        expect(page.get_by_role("row", name=re.compile("^The shop"))).to_contain_text("the dashboard shop")
        looked_at(page, "shares")
        page.get_by_role("button", name="Revoke The shop").click()
        expect(page.get_by_role("row", name=re.compile("^The shop"))).to_contain_text("revoked")
        stranger.reload()
        expect(stranger.get_by_role("heading", name="This link is over")).to_be_visible()
        looked_at(stranger, "shared-over")
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
