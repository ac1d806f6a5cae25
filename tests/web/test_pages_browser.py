"""The pages beside Explore in a real Chromium, and what holds for all: keys, themes, narrow windows, accessibility."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import Server
from . import shop
from .shop import SERVICES, Faults, axe, box, fits, made_events, rows, said, shot

site, browser, faults, open_page = shop.site, shop.browser, shop.faults, shop.open_page
hook_port = shop.hook_port
pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery staple"


def test_the_tail_follows_pauses_and_goes_on(open_page: Callable[..., Page], site: Server) -> None:
    page = open_page("/tail?q=service%3Atail")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    log = page.get_by_role("log")

    def send(*names: str) -> None:
        then = (datetime.now(UTC) - timedelta(days=3)).isoformat()  # it follows commits, whatever time events say
        site.post([{"timestamp": then, "service": "tail", "message": f"event {name}"} for name in names])
        site.post([{"timestamp": then, "service": "other", "message": "not for the tail"}])

    send("one")
    expect(log).to_contain_text("event one")
    send(*(f"filling {number}" for number in range(80)))
    expect(log).to_contain_text("event filling 79")  # it is at the end, without a hand
    log.hover()
    page.mouse.wheel(0, -600)
    expect(page.get_by_text("paused", exact=True)).to_be_visible()
    send("two")
    resume = page.get_by_role("button", name="1 new event: follow")
    expect(resume).to_be_visible()
    expect(log).not_to_contain_text("event two")
    resume.click()
    expect(log).to_contain_text("event two")
    expect(log).not_to_contain_text("not for the tail")


def test_the_tail_looks_alive(open_page: Callable[..., Page], site: Server) -> None:
    page = open_page("/tail")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    for part in range(12):
        now = datetime.now(UTC)
        site.post([event | {"timestamp": now.isoformat()} for event in made_events(now, 200)[6 * part : 6 * part + 6]])
        page.wait_for_timeout(150)
    expect(page.get_by_text(re.compile(r"^[1-9]\d* events since opened"))).to_be_visible()
    shot(page, "tail")


def test_the_bell_says_which_incidents_nobody_has_read(open_page: Callable[..., Page], site: Server) -> None:
    wait_for_delivery(site)
    page = open_page("/explore")
    page.get_by_role("button", name=re.compile(r"^\d+ unread incidents?$")).click(timeout=20_000)
    opened = page.get_by_role("dialog", name="Open incidents")
    new = opened.get_by_role("link", name=re.compile("New: error bursts")).first  # another test ends one of them
    expect(new).to_be_visible()
    axe(page)
    opened.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="No unread incidents")).to_be_visible()
    page = open_page("/explore")  # another browser of the same reader
    page.get_by_role("button", name="No unread incidents").click(timeout=20_000)
    opened = page.get_by_role("dialog", name="Open incidents")
    opened.get_by_role("link", name=re.compile("error bursts")).first.click()
    expect(page).to_have_url(re.compile("/alerts/incidents/\\d+"))


def test_incidents_are_shown_acknowledged_and_resolved(open_page: Callable[..., Page], site: Server) -> None:
    wait_for_delivery(site)
    page = open_page("/alerts")
    expect(page).to_have_url(re.compile("/alerts/incidents"))
    expect(page.get_by_role("link", name=re.compile("payments")).first).to_be_visible()
    shot(page, "alerts")
    page.get_by_role("link", name=re.compile("payments")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("payments")
    expect(page.get_by_role("region", name="Sample events")).to_contain_text("card declined")
    expect(page.get_by_role("region", name="Notifications")).to_contain_text("oncall")
    expect(page.get_by_role("region", name="Notifications")).to_contain_text(re.compile("failed.*503.*delivered.*200"))
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Opened")
    expect(page.get_by_role("img", name="Chart of n over time, with its bounds: trouble > 20")).to_be_visible()
    expect(page.get_by_role("region", name="What is different")).not_to_contain_text("Comparing")
    shot(page, "incident")
    page.get_by_label("Comment").fill("rolled back to <b>1.4.2</b>")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("rolled back to <b>1.4.2</b>")
    expect(page.get_by_label("Comment")).to_be_empty()
    silence_and_end(page)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Acknowledged")
    page.get_by_role("link", name="Events in Explore").click()
    expect(rows(page).first).to_contain_text("payments")
    assert said(page, "from")
    assert said(page, "to")
    page.go_back()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Resolve")).to_be_hidden()
    page.get_by_role("link", name="Incidents").click()
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_role("link", name=re.compile("resolved.*payments"))).to_be_visible()
    page.get_by_role("link", name="Notifications").click()
    expect(page.get_by_role("listitem").filter(has_text="oncall").first).to_be_visible()
    page.get_by_role("link", name="Detectors").click()
    expect(page.get_by_role("heading", name="error bursts", exact=True)).to_be_visible()


def test_a_message_is_acknowledged_without_signing_in(open_page: Callable[..., Page], site: Server) -> None:
    wait_for_delivery(site)
    found = json.loads(site.call("GET", "/api/v1/incidents?state=open")[1])["items"]
    number = next(one["id"] for one in found if "payments" not in one["title"])
    page = open_page("/explore")
    page.goto(shop.Hook.links[number])
    expect(page.get_by_role("heading")).to_have_text(f"Acknowledge incident {number}?")
    shot(page, "acknowledge")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("heading")).to_have_text(f"Incident {number} is acknowledged")
    incident = json.loads(site.call("GET", f"/api/v1/incidents/{number}")[1])
    assert incident["timeline"][-1]["by"] == "the link sent by oncall"


def silence_and_end(page: Page) -> None:
    """Silence the incident whose page it is, see it in the list of silences, end it there and come back."""
    here = page.url
    page.get_by_role("button", name="Silence").click()
    form = page.get_by_role("dialog", name="Silence")
    form.get_by_label("Reason").fill("moving <b>house</b>")
    form.get_by_role("button", name="Silence it").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("moving <b>house</b>", timeout=15_000)
    page.goto(here.split("/alerts")[0] + "/alerts/silences")
    card = page.get_by_role("article").filter(has_text="moving <b>house</b>")
    expect(card).to_contain_text("active")
    expect(card).to_contain_text("service=payments")
    shot(page, "silences")
    card.get_by_role("button", name="End now").click()
    expect(card).to_contain_text("ended by")
    page.goto(here)
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Silence ended", timeout=15_000)


def test_a_detector_is_tried_on_the_past(open_page: Callable[..., Page], site: Server) -> None:
    wait_for_delivery(site)
    page = open_page("/alerts/detectors")
    card = page.get_by_role("listitem").filter(has_text="error bursts").first
    card.get_by_role("button", name="Backtest").click()
    panel = page.get_by_role("region", name="Backtest of error bursts")
    told = re.compile(r"[1-9]\d* incidents? would have opened")
    expect(panel.get_by_role("status")).to_contain_text(told, timeout=30_000)
    expect(panel.get_by_role("img", name=re.compile(r"^[1-9]\d* incidents? between"))).to_be_visible()
    expect(panel.get_by_role("list")).to_contain_text("payments")
    assert said(page, "backtest") == "error bursts"
    panel.get_by_label("Wished alerts a week").fill("1")
    panel.get_by_role("button", name="Suggest").click()
    expect(panel.get_by_role("status")).to_contain_text("Suggested: ", timeout=30_000)
    panel.get_by_role("link", name="Last day").click()
    expect(page).to_have_url(re.compile("span=1d"))
    expect(panel.get_by_role("status")).to_contain_text("would have opened", timeout=30_000)
    shot(page, "backtest")
    card.get_by_role("button", name="Backtest").click()
    expect(panel).to_be_hidden()


def wait_for_delivery(site: Server) -> None:
    """Until the notification of every incident's opening was taken."""
    for _ in range(150):
        found = json.loads(site.call("GET", "/api/v1/notifications")[1])["items"]
        opened = [one["status"] for one in found if one["event"] == "opened"]
        if len(opened) >= len(SERVICES) and set(opened) == {"sent"}:
            return
        time.sleep(0.1)
    pytest.fail(f"not delivered: {opened}")


def test_the_keyboard_alone_is_enough(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    expect(rows(page).first).to_be_visible()
    press = page.keyboard.press
    press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.type("needle")
    press("Enter")
    expect(rows(page)).to_have_count(3)
    press("Escape")
    if page.evaluate("document.activeElement.closest('.cm-editor') !== null"):
        press("Escape")  # the first one closed what completes
    expect(box(page)).not_to_be_focused()
    event = page.get_by_role("region", name="Event", exact=True)
    for key, message in (
        ("j", None),
        ("j", None),
        ("x", "needle number 1"),
        ("j", "needle number 0"),
        ("k", "needle number 1"),
    ):
        press(key)
        if message:
            expect(event.get_by_label("Message", exact=True)).to_have_text(message)
    press("x")
    expect(event).to_be_hidden()
    press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog", name="Help")).to_be_hidden()
    press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("detec")
    press("Enter")
    expect(page).to_have_url(re.compile("/alerts/detectors"))


def test_the_theme_is_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore", color_scheme="dark")
    expect(rows(page).first).to_be_visible()
    shot(page, "explore-dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name=re.compile("^Theme")).click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_people_sign_in_where_users_exist(browser: Browser, make_server: Callable[..., Server], faults: Faults) -> None:
    server = make_server(environment={"CORDWOOD_ADMIN_EMAIL": "ada@example.com", "CORDWOOD_ADMIN_PASSWORD": PASSWORD})
    server.start()
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", faults.note)
        page.goto(f"{server.url}/explore?q=needle")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("password is wrong")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(box(page)).to_have_text("needle")
        expect(page.get_by_text("No events yet")).to_be_visible()
        shot(page, "first-event")
        page.get_by_role("button", name="Sign out ada@example.com").click()
        expect(page.get_by_label("Email")).to_be_visible()
        shot(page, "sign-in")
    assert [fault for fault in faults if "status of 401" not in fault] == []


def test_patterns_group_messages_and_lead_to_their_events(open_page: Callable[..., Page], site: Server) -> None:
    start = datetime.now(UTC) - timedelta(minutes=10)
    often = [f"lease {number} of node-{number % 7} renewed" for number in range(60)]
    messages = [*often, "<script>alert(1)</script> found in the form"]  # shown as the text it is
    site.post([
        {"timestamp": (start + timedelta(seconds=at)).isoformat(), "service": "patterned", "message": message}
        for at, message in enumerate(messages)
    ])  # fmt: skip
    page = open_page("/patterns?q=service%3Apatterned&from=-1h")
    listed = page.get_by_role("region", name="Patterns").get_by_role("listitem")
    expect(page.get_by_role("status").filter(has_text="2 patterns")).to_be_visible()
    expect(listed).to_have_count(2)
    expect(listed.first).to_contain_text("lease <*> of <*> renewed")
    expect(listed.first).to_contain_text("60")
    expect(listed.first).to_contain_text("98 %")
    expect(listed.first.get_by_role("img", name="Course of 60 messages")).to_be_visible()
    expect(listed.first.get_by_text("new", exact=True)).to_be_visible()  # none in the hour before
    shot(page, "patterns-few")

    page.get_by_label("Order").select_option("Rarest first")
    expect(listed.first).to_contain_text("<script>alert(<*>)</script>")
    page.keyboard.press("Escape")
    page.get_by_role("region", name="Patterns").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(listed.last).to_contain_text("Newest example")
    expect(listed.last).to_contain_text("lease 59 of node-3 renewed")
    listed.last.get_by_role("button", name="Without this pattern").click()
    expect(listed).to_have_count(1)
    page.go_back()
    expect(listed).to_have_count(2)
    listed.last.get_by_role("button", name="Its events in Explore").click()
    expect(page).to_have_url(re.compile("/explore"))
    expect(rows(page).first).to_contain_text("lease 59 of node-3 renewed")
    expect(page.get_by_text("60 events").first).to_be_visible()


def test_patterns_are_merged_named_split_and_undone(open_page: Callable[..., Page], site: Server) -> None:
    start = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    messages = ["gate opened", "gate opened", "gate closed", *(f"badge of {who} read" for who in ("a1", "b2", "b2"))]
    site.post([{"timestamp": start, "service": "shaped", "message": message} for message in messages])
    page = open_page("/patterns?q=service%3Ashaped&from=-1h")
    listed = page.get_by_role("region", name="Patterns").get_by_role("listitem")
    expect(listed).to_have_count(3)
    page.get_by_label("Select gate opened").check()
    page.get_by_label("Select gate closed").check()
    page.get_by_label("Name of the merged pattern").fill("gates")
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("status").filter(has_text="Merged 2 patterns.")).to_be_visible()
    expect(listed).to_have_count(2)
    gates = listed.filter(has_text="gates")
    expect(gates).to_contain_text("gate opened")
    gates.get_by_role("button", name="Name it").click()
    page.get_by_label("Name of the pattern").fill("doors")
    page.keyboard.press("Enter")
    doors = listed.filter(has_text="doors")
    expect(doors).to_be_visible()

    badges = listed.filter(has_text="badge of <*> read")
    badges.get_by_role("button", name=re.compile("^badge of")).click()
    badges.get_by_role("button", name="of <*>", exact=True).click()
    expect(listed).to_have_count(3)
    expect(listed.filter(has_text="badge of b2 read")).to_contain_text("2")
    page.get_by_role("button", name="Take it back").click()
    expect(listed).to_have_count(2)

    doors.get_by_role("button", name="gate opened", exact=True).click()
    expect(doors).to_contain_text("merged of 2, named by this machine")
    page.wait_for_timeout(300)
    shot(page, "patterns-shaped")
    axe(page, "light", "dark")
    doors.get_by_role("button", name="Undo").click()
    expect(listed).to_have_count(3)
    expect(page.get_by_text("doors")).to_have_count(0)


def test_patterns_of_everything_nothing_and_a_mistake(open_page: Callable[..., Page], faults: Faults) -> None:
    page = open_page("/patterns?from=-1h")
    expect(page.get_by_role("region", name="Patterns").get_by_role("listitem").nth(2)).to_be_visible()
    page.wait_for_timeout(800)
    shot(page, "patterns")
    page.emulate_media(color_scheme="dark")
    shot(page, "patterns-dark")
    page.goto(page.url.split("?")[0] + "?q=service%3Anobody")
    expect(page.get_by_text("No messages here")).to_be_visible()
    faults.expected = "status of 400"
    page.goto(page.url.split("?")[0] + "?q=status%3E%3D")
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/explore",
        "/explore?q=needle",
        "/tail",
        "/patterns",
        "/alerts/incidents",
        "/alerts/detectors",
        "/alerts/silences",
        "/alerts/detectors?backtest=error+bursts",
    ],
)
def test_nothing_sticks_out_at_400_pixels(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=400, height=800)
    expect(page.get_by_role("main")).to_be_visible()
    fits(page, 400)
    shot(page, "narrow" + re.sub(r"\W+", "-", path))


@pytest.mark.parametrize(
    "path",
    [
        "/explore?q=card",
        "/tail",
        "/patterns",
        "/alerts/incidents",
        "/alerts/notifications",
        "/alerts/detectors",
        "/alerts/silences",
        "/alerts/detectors?backtest=error+bursts",
    ],
)
def test_axe_finds_nothing(open_page: Callable[..., Page], site: Server, path: str) -> None:
    wait_for_delivery(site)
    page = open_page(path)
    if "card" in path:
        rows(page).first.click()
        expect(page.get_by_role("region", name="Event", exact=True)).to_be_visible()
    page.wait_for_timeout(800)
    if path in ("/alerts/notifications", "/alerts/detectors"):
        shot(page, path.rpartition("/")[2])
    axe(page, "light", "dark")
