"""Passkeys in a real Chromium, with its virtual authenticator: added, signed in with, removed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Request, expect

from ..conftest import Server
from . import shop
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_settings_browser import EMAIL, looked_at

browser, faults = shop.browser, shop.faults
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.browser
def test_a_passkey_signs_in_until_it_is_removed(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    server = make_server()
    server.start()
    home = server.url.replace("127.0.0.1", "localhost")  # an address is no host that a passkey can be for
    faults.expected = "status of 401"
    first = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    kind = {"Content-Type": "application/json"}
    assert server.call("POST", "/api/v1/session/first", first, kind)[0] == 201
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        page.goto(f"{home}/settings/account")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name").fill("laptop")
        page.get_by_role("button", name="Add a passkey").click()
        row = page.get_by_role("row", name=re.compile("^laptop"))
        expect(row).to_contain_text("never")
        page.get_by_label("Name").fill("again")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("has a passkey for this account already")
        looked_at(page, "passkeys")

        page.get_by_role("button", name=f"Sign out {EMAIL}").click()
        expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
        answers: list[Request] = []
        page.on("request", lambda asked: answers.append(asked) if asked.url.endswith("/session/passkey") else None)
        page.get_by_role("button", name="Use a passkey").click()
        expect(row).not_to_contain_text("never")
        replayed = (answers[0].post_data or "").encode()
        assert server.call("POST", "/api/v1/session/passkey", replayed, kind | {"Host": home[7:]})[0] == 401

        page.get_by_role("button", name="Remove laptop").click()
        expect(row).to_have_count(0)
        page.get_by_role("button", name=f"Sign out {EMAIL}").click()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
