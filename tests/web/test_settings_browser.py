"""Settings, Pipelines and Get started in a real Chromium: main paths, narrow, keyboard, both themes, axe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import Server, data_folder
from . import shop
from .shop import Faults, axe, fits, shot
from .test_pages_browser import PASSWORD

browser, faults, hook_port, open_page = shop.browser, shop.faults, shop.hook_port, shop.open_page
pytestmark = pytest.mark.browser
EMAIL = "ada@example.com"
SECTIONS = (
    "system",
    "plugins",
    "account",
    "projects",
    "members",
    "roles",
    "service-accounts",
    "tokens",
    "shares",
    "audit",
    "retention",
    "recordings",
    "lookups",
    "notifiers",
)
CONFIG = """
version: 1
store: {retention: 30d, streams: {debug: {retention: 3d}}}
sources:
  web: {type: http}
pipelines:
  access:
    from: [web]
    service: shop
    parse:
      - {type: regex, pattern: '^(?P<verb>[A-Z]+) (?P<path>[^ ]+) (?P<status>\\d+)', when: 'service:gateway'}
      - {type: redact, fields: [user]}
      - type: route
        branches:
          - when: 'status>=500'
            parse: [{type: drop}]
          - when: 'path:*cart*'
            parse: [{type: set, fields: {kind: cart}}]
outputs:
  archive: {type: file, folder: FOLDER, every: 100ms, start: beginning}
  nowhere: {type: otlp, url: "http://127.0.0.1:1", every: 100ms, start: beginning}
detectors:
  error bursts: {type: threshold, query: "severity>=error | stats count() as n by service", condition: "n > 20",
                 window: 1h, every: 1h, notify: [oncall]}
recordings:
  lines: {query: "| stats count() as n by service", every: 10s}
  carts: {query: "cart | stats count() as n", kind: counter}
notifiers:
  oncall: {type: webhook, url: "http://127.0.0.1:PORT/hook"}
"""


@pytest.fixture(scope="module")
def site(hook_port: int, cluster: Path) -> Iterator[Server]:
    """A server with a pipeline, a notifier and a few events; nobody has an account."""
    with data_folder() as folder:
        config = CONFIG.replace("PORT", str(hook_port)).replace("FOLDER", str(folder / "archive"))
        server = Server(folder, config, cluster=cluster)
        server.start()
        server.post([{"service": "gateway", "message": f"GET /cart/{n} 200", "user": "u"} for n in range(40)])
        server.post([{"service": "gateway", "message": "no such line"}])
        server.call("PUT", "/api/v1/lookups/owners", b"service,team\ngateway,core\n", {"Content-Type": "text/csv"})
        yield server
        server.stop()
        server.log.unlink(missing_ok=True)
        if server.config:
            server.config.unlink(missing_ok=True)


def looked_at(page: Page, name: str) -> None:
    """Both themes are accessible and on a picture, and nothing sticks out at 400 pixels."""
    expect(page.locator("[role=status][aria-label^=Loading]")).to_have_count(0)
    axe(page, "light", "dark")
    shot(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")
    shot(page, name)
    page.set_viewport_size({"width": 400, "height": 800})
    fits(page, 400)
    shot(page, f"{name}-narrow")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_every_setting_can_be_looked_at(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings")
    expect(page).to_have_url(re.compile("/settings/system$"))
    for section in SECTIONS:
        page.get_by_role("navigation", name="Settings").get_by_role("link").nth(SECTIONS.index(section)).click()
        expect(page).to_have_url(re.compile(f"/settings/{section}$"))
        looked_at(page, f"settings-{section}")


def test_a_test_message_is_sent_and_its_answer_shown(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings/notifiers")
    button = page.get_by_role("button", name="Send test to oncall")
    button.click()
    expect(page.get_by_role("status")).to_contain_text("503")  # this hook refuses each delivery once
    expect(page.get_by_role("status")).to_contain_text("would be tried again")


def test_a_message_is_previewed(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings/notifiers")
    page.get_by_role("button", name="Preview of oncall").click()
    message = page.get_by_label("Message of oncall")
    expect(message).to_contain_text('"event":"opened"')
    page.get_by_role("group", name="Event").get_by_role("button", name="resolved").click()
    expect(message).to_contain_text('"event":"resolved"')
    page.get_by_role("button", name="Draft a template").click()
    draft = page.get_by_label("Template", exact=True)
    draft.fill("{{ severity }} of {{ detector }}\n{{ nothing }}")
    expect(page.get_by_role("alert")).to_contain_text("Line 2: the template fails: UndefinedError")
    axe(page, "light", "dark")
    draft.fill("{{ severity }} of {{ detector }}")
    expect(message).to_contain_text('"words":"ERROR of errors"')
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_recording_is_shown_with_its_course_and_opens_in_explore(
    open_page: Callable[..., Page], site: Server
) -> None:
    now = datetime.now(UTC)
    at = (now - timedelta(minutes=10)).isoformat()
    site.post([{"service": "gateway", "message": f"GET /cart/{n} 200", "timestamp": at} for n in range(7)])
    begin = json.dumps({"from": (now - timedelta(hours=2)).isoformat()}).encode()
    path, kind = "/api/v1/recordings/carts/backfill", {"Content-Type": "application/json"}
    assert site.call("POST", path, begin, kind)[0] == 200
    page = open_page("/settings/recordings")
    row = page.get_by_role("row", name=re.compile("^carts"))
    expect(row).to_contain_text("ok")
    expect(row).to_contain_text("counter")
    expect(row.get_by_role("img", name=re.compile("The last 40 steps of carts"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^lines"))).to_be_visible()
    row.get_by_role("link", name="carts").click()
    expect(page).to_have_url(re.compile("/explore"))
    expect(page.get_by_label("Chart of", exact=False).first).to_be_visible()


def test_a_table_is_uploaded_and_deleted(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings/lookups")
    page.get_by_label("Name").fill("teams")
    file = {"name": "teams.csv", "mimeType": "text/csv", "buffer": b"team,lead\ncore,ann\n"}
    page.get_by_label(re.compile("^CSV")).set_input_files([file])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("row", name=re.compile("teams"))).to_contain_text("team, lead")
    page.get_by_role("button", name="Delete teams").click()
    expect(page.get_by_role("row", name=re.compile("teams"))).to_have_count(0)


def test_the_pipeline_is_shown_and_a_line_is_tried(open_page: Callable[..., Page], site: Server) -> None:
    (stored,) = site.query("| stats count() as n")  # other tests may have sent some, too
    page = open_page("/pipelines")
    graph = page.get_by_role("region", name="Graph")
    expect(graph.get_by_role("listitem", name="Pipeline access")).to_contain_text("regex")
    expect(graph).to_contain_text("1 not understood")
    branches = graph.get_by_role("list", name="Branches").get_by_role("listitem")
    expect(branches.filter(has_text="status>=500")).to_contain_text("nothing came this way yet")
    expect(branches.filter(has_text="path:*cart*").first).to_contain_text(re.compile(r"4\d events.*98 %.*set"))
    expect(branches.filter(has_text="no branch")).to_contain_text("2 %")
    archive, nowhere = (graph.get_by_role("listitem", name=f"Output {name}") for name in ("archive", "nowhere"))
    expect(archive).to_contain_text(f"{stored['n']} events sent")
    expect(archive).to_contain_text("Nothing waits")
    expect(nowhere).to_contain_text("waiting")
    expect(nowhere).to_contain_text(re.compile("commits? behind, lag .* s"))
    expect(nowhere).to_contain_text("no connection")
    expect(graph.get_by_role("group", name="Store")).to_contain_text(f"{stored['n']} events committed")
    site.post([{"service": "gateway", "message": "GET /one 200"}])
    expect(graph.get_by_role("group", name="Store")).to_contain_text(f"{stored['n'] + 1} events committed")
    expect(page.get_by_role("region", name="YAML")).to_contain_text("type: redact")
    page.get_by_role("button", name="Try a line in access").click()
    page.get_by_label(re.compile("^Lines")).fill('{"service": "gateway", "message": "GET /cart 200", "user": "ann"}')
    page.get_by_role("button", name="Try", exact=True).click()
    steps = page.get_by_role("list", name="Steps").get_by_role("listitem")
    expect(steps).to_have_count(6)
    expect(page.get_by_role("region", name=re.compile("^Branch when path")).get_by_role("listitem")).to_contain_text(
        "set"
    )
    expect(steps.nth(1)).to_contain_text("/cart")
    expect(steps.nth(2)).not_to_contain_text("ann")
    looked_at(page, "pipelines")


def test_a_refused_reload_is_shown_with_its_place(open_page: Callable[..., Page], site: Server) -> None:
    assert site.config
    assert site.process
    right = site.config.read_text()
    try:
        site.config.write_text(right.replace("type: redact", "type: redakt"))
        site.process.send_signal(1)
        page = open_page("/pipelines")
        expect(page.get_by_role("alert")).to_contain_text(re.compile(r"\.yaml:\d+:\d+"))
        shot(page, "pipelines-error")
    finally:
        site.config.write_text(right)
        site.process.send_signal(1)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_keyboard_reaches_every_setting(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    for words, path in (("audit", "/settings/audit"), ("get started", "/start"), ("pipelines", "/pipelines")):
        page.keyboard.press("Control+k")
        expect(page.get_by_role("combobox", name=re.compile("^Go to"))).to_be_focused()
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(path + "$"))


def test_from_nothing_to_members_and_tokens(
    browser: Browser, make_server: Callable[..., Server], faults: Faults
) -> None:
    """The first run: an administrator, a token, the light turns green; then an invitation, and who was refused."""
    server = make_server()
    server.start()
    faults.expected = r"status of (401|403|409)"
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.goto(f"{server.url}/start")
        expect(page.get_by_role("status")).to_contain_text("Waiting for the first event")
        looked_at(page, "start")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label(re.compile("^Password")).fill(PASSWORD)
        page.get_by_role("button", name="Create the administrator").click()
        page.get_by_role("button", name="Make one").click()
        shippers = page.get_by_role("region", name="Shippers")
        expect(shippers).to_contain_text("Bearer cw_")
        for name in ("Fluent Bit", "Vector", "OpenTelemetry", "rsyslog", "Python logging", "MQTT", "Browser", "curl"):
            shippers.get_by_role("button", name=name, exact=True).click()
            expect(shippers.get_by_label(f"Send from {name}", exact=True)).to_be_visible()
        found = re.search(r"cw_[\w-]+", shippers.inner_text())
        assert found
        status, _ = server.call("POST", "/api/v1/logs", b"hello", {"Authorization": f"Bearer {found[0]}"})
        assert status == 200
        expect(page.get_by_role("status")).to_contain_text("Events arrive")
        shot(page, "start-green")

        page.goto(f"{server.url}/settings/members")
        page.get_by_label("Email").fill("bob@example.com")
        page.get_by_role("combobox", name="Role", exact=True).select_option("operator")
        page.get_by_role("button", name="Invite").click()
        once = page.get_by_role("status").filter(has_text="Password for bob")
        password = once.locator("code").inner_text()
        looked_at(page, "members")
        page.get_by_label(f"Role of {EMAIL}").select_option("viewer")
        expect(page.get_by_role("alert")).to_contain_text("last administrator")

        page.goto(f"{server.url}/settings/tokens")
        page.get_by_label("Name").fill("fluent-bit")
        page.get_by_role("button", name="Create a token").click()
        expect(page.get_by_role("status")).to_contain_text("it is not shown again")
        looked_at(page, "tokens")
        page.get_by_role("button", name="Revoke fluent-bit").click()
        expect(page.get_by_role("row", name=re.compile("fluent-bit"))).to_contain_text("revoked")

        page.goto(f"{server.url}/settings/audit")
        expect(page.get_by_role("row", name=re.compile("token.revoke"))).to_be_visible()
        page.get_by_role("combobox", name="What", exact=True).select_option("user")
        expect(page.get_by_role("row", name=re.compile("token.revoke"))).to_have_count(0)
        expect(page.get_by_role("row", name=re.compile("user.create"))).to_have_count(2)
        shot(page, "audit")
        page.get_by_role("button", name=f"Sign out {EMAIL}").click()

        page.get_by_label("Email").fill("bob@example.com")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
        axe(page, "light", "dark")
        shot(page, "choose-password")
        page.get_by_label("Current password").fill(password)
        page.get_by_label("New password").fill("words of bob")
        page.get_by_role("button", name="Change password").click()
        expect(
            page.get_by_text("Not for your role")
        ).to_be_visible()  # he is where the administrator was: the audit log
        page.goto(f"{server.url}/settings/account")
        expect(page.get_by_text("operator", exact=True)).to_be_visible()
        session = page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")
        assert json.dumps(session["permissions"]) == '["query", "edit", "operate"]'
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []
