"""A forgotten password in a real Chromium: asked for, mailed, chosen; and a link that an administrator hands on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from ..conftest import Server
from ..notifiers.test_email import Smtp
from . import shop, test_resets
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_resets import CONFIG, links
from .test_settings_browser import EMAIL, looked_at

browser, faults, smtp = shop.browser, shop.faults, test_resets.smtp


@pytest.mark.browser
def test_who_forgot_the_password_comes_in_by_a_link(
    browser: Browser, make_server: Callable[..., Server], faults: Faults, smtp: Smtp
) -> None:
    server = make_server(CONFIG.replace("PORT", str(smtp.server_address[1])))
    server.start()
    faults.expected = r"status of (401|404)"
    kind = {"Content-Type": "application/json"}
    first = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    assert server.call("POST", "/api/v1/session/first", first, kind)[0] == 201
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        page.goto(f"{server.url}/settings/members")
        page.get_by_role("link", name="Forgot your password?").click()
        expect(page.get_by_label("Email")).to_be_focused()
        looked_at(page, "reset-ask")
        page.get_by_label("Email").fill(EMAIL)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(f"If {EMAIL} has an account")
        looked_at(page, "reset-asked")
        for _ in range(200):
            if links(smtp):
                break
            page.wait_for_timeout(50)
        (secret,) = links(smtp)

        page.goto(f"{server.url}/reset-password#{secret}")
        expect(page.get_by_label(re.compile("^New password"))).to_be_focused()
        looked_at(page, "reset-choose")
        page.keyboard.type("words of ada")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
        page.goto("about:blank")
        page.goto(f"{server.url}/reset-password#{secret}")
        page.get_by_label(re.compile("^New password")).fill("words of eve")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("alert")).to_contain_text("this link is over")
        looked_at(page, "reset-over")
        page.get_by_role("link", name="Ask for another link").click()
        expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()

        page.goto(f"{server.url}/settings/members")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill("words of ada")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=f"Reset link for {EMAIL}").click()
        once = page.get_by_role("status").filter(has_text=f"Link for {EMAIL}")
        expect(once).to_contain_text("within half an hour")
        looked_at(page, "reset-link")
        page.goto(once.locator("code").inner_text())
        page.get_by_label(re.compile("^New password")).fill("other words of ada")
        page.get_by_role("button", name="Change password").click()
        page.get_by_role("link", name="Sign in with the new password").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()  # her own session has ended too
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
