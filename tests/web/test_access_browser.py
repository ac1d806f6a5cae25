"""Roles, service accounts and sessions in a real Chromium: main paths, narrow, both themes, axe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from ..conftest import Server
from . import shop
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_settings_browser import EMAIL, looked_at

browser, faults = shop.browser, shop.faults
pytestmark = pytest.mark.browser
EVENTS = [
    {"service": "checkout", "message": "paid", "user": "ann"},
    {"service": "gateway", "message": "up", "user": "bob"},
]


def test_a_role_is_made_given_and_followed(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    """An administrator makes a role, gives it to a program, and the program's token sees what the role sees."""
    server = make_server()
    server.start()
    server.post(EVENTS)
    faults.expected = r"status of (400|401|409)"
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        credentials = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
        kind = {"Content-Type": "application/json"}
        assert server.call("POST", "/api/v1/session/first", credentials, kind)[0] == 201
        page.goto(f"{server.url}/settings/roles")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("button", name="New role").click()
        page.get_by_label("Name").fill("support")
        sees = page.get_by_role("textbox", name="Sees")
        sees.click()
        page.keyboard.insert_text("service:checkout | stats count()")
        page.keyboard.press("Escape")  # no completion
        page.get_by_role("button", name="Mask a field").click()
        page.get_by_label("Masked field 1").fill("user")
        page.get_by_role("button", name="Create the role").click()
        expect(page.get_by_role("alert")).to_contain_text("line 1, column 20")
        looked_at(page, "role-refused")
        sees.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("service:checkout")
        page.get_by_role("button", name="Create the role").click()
        row = page.get_by_role("table").get_by_role("row", name=re.compile("^support"))
        expect(row).to_contain_text("service:checkout")
        expect(row).to_contain_text("user (stars)")

        page.get_by_role("button", name="Change support").click()
        page.get_by_label("How field 1 is masked").select_option("hash")
        page.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("user (hash)")

        page.goto(f"{server.url}/settings/service-accounts")
        page.get_by_label("Name").fill("ci-bot")
        page.get_by_role("button", name="Create the account").click()
        page.get_by_role("button", name="Create a token for ci-bot").click()
        secret = page.get_by_role("status").locator("code").inner_text()
        expect(page.get_by_role("row", name=re.compile("^ci-bot"))).to_contain_text("1")
        looked_at(page, "service-accounts")

        page.goto(f"{server.url}/settings/roles")
        page.get_by_role("button", name="Who has support: 0").click()
        page.get_by_role("combobox", name="Account", exact=True).select_option(label="ci-bot, now viewer")
        page.get_by_role("button", name="Give the role").click()
        members = page.get_by_role("region", name="Who has support")
        expect(members.get_by_role("listitem")).to_contain_text("ci-bot")
        looked_at(page, "roles")
        asked = json.dumps({"query": "service:* | stats count() as n by service, user"}).encode()
        status, answer = server.call("POST", "/api/v1/query", asked, kind | {"Authorization": f"Bearer {secret}"})
        assert status == 200
        [[service, user, n]] = json.loads(answer)["rows"]
        assert (service, n, bool(re.fullmatch("[0-9a-f]{16}", user))) == ("checkout", 1, True)
        page.get_by_role("button", name="Delete support").click()
        expect(page.get_by_role("alert")).to_contain_text("give them another first")

        assert server.call("POST", "/api/v1/session", credentials, kind | {"User-Agent": "elsewhere"})[0] == 200
        page.goto(f"{server.url}/settings/account")
        elsewhere = page.get_by_role("row", name=re.compile("^elsewhere"))
        elsewhere.get_by_role("button", name="End this session").click()
        expect(elsewhere).to_have_count(0)
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []


def test_a_second_factor_is_turned_on_and_asked_for(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    server = make_server(environment={"CORDWOOD_SECRET_KEY": "a key of this test"})
    server.start()
    faults.expected = "status of 401"
    credentials = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    assert server.call("POST", "/api/v1/session/first", credentials, {"Content-Type": "application/json"})[0] == 201
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        page.goto(f"{server.url}/settings/account")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        panel = page.get_by_role("region", name="Second factor")
        panel.get_by_role("button", name="Set up an app").click()
        expect(panel.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
        looked_at(page, "second-factor")
        app = pyotp.TOTP(panel.locator("code").inner_text())
        panel.get_by_label("Code").fill(app.now())
        panel.get_by_role("button", name="Turn it on").click()
        recovery = panel.get_by_role("status").locator("pre").inner_text().splitlines()
        expect(panel).to_contain_text("It is on, with 10 recovery codes left.")
        page.get_by_role("button", name=f"Sign out {EMAIL}").click()
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code of the authenticator app, or a recovery code").fill(recovery[0])
        page.get_by_role("button", name="Sign in").click()
        expect(panel).to_contain_text("It is on, with 9 recovery codes left.")
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
