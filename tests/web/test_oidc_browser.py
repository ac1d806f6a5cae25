"""Sign-in by OpenID Connect in a real Chromium, at a certified provider that runs here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import ROOT, Server, free_port
from . import shop
from .shop import Faults
from .test_pages_browser import PASSWORD
from .test_settings_browser import looked_at

browser, faults = shop.browser, shop.faults
CONFIG = """
version: 1
sign_in:
  oidc:
    issuer: http://127.0.0.1:PORT
    client_id: cordwood
    client_secret: ${OIDC_SECRET}
    name: Example ID
    scopes: [openid, email, groups]
    roles: {ops: admin, staff: viewer}
    default_role: null
"""


@pytest.mark.browser
def test_people_sign_in_at_a_real_provider(
    browser: Browser, make_server: Callable[..., Server], faults: Faults, tmp_path: Path
) -> None:
    """One with a group gets an account and its role, and the page they wanted; one without gets neither."""
    if not (ROOT / "web" / "ui" / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("needs oidc-provider in web/ui/node_modules: npm ci there")
    port = free_port()
    server = make_server(CONFIG.replace("PORT", str(port)), {"OIDC_SECRET": "a secret/with%signs"})
    node = Path(sys.executable).parent / "node"
    script = Path(__file__).parent / "oidc_provider.mjs"
    command = [str(node), str(script), str(port), f"{server.url}/api/v1/session/oidc/callback"]
    with (
        (tmp_path / "provider.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True) as provider,
    ):
        try:
            assert provider.stdout
            assert provider.stdout.readline() == b"listening\n", (tmp_path / "provider.log").read_text()
            server.start()
            first = json.dumps({"email": "ada@example.com", "password": PASSWORD}).encode()
            kind = {"Content-Type": "application/json"}
            assert server.call("POST", "/api/v1/session/first", first, kind)[0] == 201
            faults.expected = rf"status of (401|403)|fonts.googleapis.com|127.0.0.1:{port}/"  # what its own pages lack
            with browser.new_context() as context:
                page = context.new_page()
                page.on("console", faults.note)
                page.goto(f"{server.url}/settings/account?x=1")
                expect(page.get_by_role("link", name="Sign in with Example ID")).to_be_visible()
                looked_at(page, "sign-in-oidc")
                _through_the_provider(page, "ann")
                expect(page).to_have_url(f"{server.url}/settings/account?x=1")
                expect(page.get_by_text("ann@example.org")).to_be_visible()
                expect(page.get_by_text("admin", exact=True)).to_be_visible()
                expect(page.get_by_text("This account has none")).to_be_visible()
                expect(page.get_by_role("region", name="Second factor")).to_have_count(0)
                expect(page.get_by_role("row", name=re.compile(r"^Chrome on Linux \(this one\)"))).to_be_visible()
                looked_at(page, "account-without-password")
                _proved_again(page, server)
            with browser.new_context() as context:
                page = context.new_page()
                page.on("console", faults.note)
                page.goto(f"{server.url}/explore")
                _through_the_provider(page, "eve")
                expect(page.get_by_role("alert")).to_contain_text("You have no account here")
        finally:
            os.killpg(provider.pid, signal.SIGTERM)  # `node` may be a script that has started the real one
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []


def _proved_again(page: Page, server: Server) -> None:
    """The provider let them in and did not say when it last asked: for a token of scope admin it has to ask."""
    page.goto(f"{server.url}/settings/tokens")
    page.get_by_label("Name").fill("deploy")
    page.get_by_label("admin").check()
    page.get_by_role("button", name="Create a token").click()
    again = page.get_by_role("region", name="Sign in again")
    expect(again).to_contain_text("ann@example.org")
    expect(again.get_by_label("Password")).to_have_count(0)
    looked_at(page, "sign-in-again-oidc")
    again.get_by_role("link", name="Sign in with Example ID").click()
    page.locator("input[name=login]").fill("ann")
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(f"{server.url}/settings/tokens")
    page.get_by_label("Name").fill("deploy")
    page.get_by_label("admin").check()
    page.get_by_role("button", name="Create a token").click()
    expect(page.get_by_role("status").filter(has_text="Token deploy")).to_contain_text("it is not shown again")


def _through_the_provider(page: Page, name: str) -> None:
    page.get_by_role("link", name="Sign in with Example ID").click()
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()
