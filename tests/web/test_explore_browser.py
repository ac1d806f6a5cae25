"""The UI in a real Chromium against a real server: search, zoom, filters, tail, alerts, keys, narrow windows.

Screenshots go to tests/.artifacts; with CORDWOOD_SCREENSHOTS=1 to docs/images, where the README takes them from.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from ..conftest import ROOT, Server
from ..services import find_chromium

pytestmark = pytest.mark.browser

ARTIFACTS = ROOT / "tests" / ".artifacts"
README_IMAGES = {"explore", "explore-dark", "event", "mistake", "tail", "alerts", "incident"}
AXE = ROOT / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery staple"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SERVICES = ("checkout", "payments", "gateway", "catalog", "auth")
CONFIG = """
version: 1
detectors:
  checkout errors:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 20"
    window: 1h
    every: 1s
    notify: [oncall]
notifiers:
  oncall: {type: webhook, url: "http://127.0.0.1:PORT/hook"}
"""


def made_events(now: datetime, count: int = 2400) -> list[dict[str, Any]]:
    """A shop's events of the last 55 minutes, an outage of its payments among them; the same for the same `now`."""
    chance = random.Random(11)
    events = []
    for _ in range(count):
        at = now - timedelta(seconds=chance.random() * 3300)
        broken = timedelta(minutes=14) < now - at < timedelta(minutes=20)
        level = chance.choices(["DEBUG", "INFO", "WARN", "ERROR"], [15, 70, 10, 60 if broken else 3])[0]
        service, user = chance.choice(SERVICES), chance.randrange(1, 400)
        path = chance.choice(["/api/cart", "/api/orders", "/api/items/42", "/login"])
        took = round(chance.expovariate(1 / 80), 1)
        message = {
            "DEBUG": f"cache lookup key=user:{user} hit=true",
            "INFO": f"GET {path} 200 in {took} ms",
            "WARN": f"slow query took {took * 9:.0f} ms, retrying (attempt {chance.randrange(1, 4)})",
            "ERROR": f"card declined for user {user}: upstream timeout after 3000 ms",
        }[level]
        events.append(
            {
                "timestamp": at.isoformat(),
                "severity": level,
                "service": service,
                "host": f"web-{chance.randrange(1, 5)}",
                "message": message,
                "trace_id": f"{chance.getrandbits(128):032x}",
                "http.path": path,
                "http.status": chance.choice([500, 502, 503]) if level == "ERROR" else 200,
                "took_ms": took,
                "user": str(user),
            }
        )
    for step in range(3):
        events.append(
            {
                "timestamp": (now - timedelta(minutes=5, milliseconds=-step)).isoformat(),
                "severity": "WARN",
                "service": "checkout",
                "host": "web-1",
                "message": f"needle number {step}",
                "trace_id": TRACE,
                "odd name": f"a b{step}",
            }
        )
    return events


class Hook(BaseHTTPRequestHandler):
    """Refuses every delivery once, then takes it."""

    seen: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        delivery = self.headers["X-Cordwood-Delivery"]
        self.send_response(200 if delivery in self.seen else 503)
        self.seen.add(delivery)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def hook_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver.server_address[1]
        receiver.shutdown()


@pytest.fixture(scope="module")
def site(hook_port: int) -> Iterator[Server]:
    """One server for all tests of this file, with the shop's events in it and a detector that fires on them."""
    folder = Path(tempfile.mkdtemp(prefix="cordwood-test-ui-"))
    folder.chmod(0o755)
    server = Server(folder, CONFIG.replace("PORT", str(hook_port)))
    server.start()
    status, _ = server.post(made_events(datetime.now(UTC)))
    assert status == 200
    yield server
    server.stop()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    shutil.move(server.log, ARTIFACTS / "ui-server.log")
    shutil.rmtree(folder, ignore_errors=True)
    if server.config:
        server.config.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    assert program, "no Chromium: install one, or name it in CORDWOOD_CHROMIUM"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=str(program), args=FLAGS)


class Faults(list[str]):
    """What went wrong on a page, but for what a test says it expects."""

    expected: str = "$^"

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def open_page(browser: Browser, site: Server, faults: Faults) -> Iterator[Callable[..., Page]]:
    """Opens pages of the site, each in a browser of its own; an error in a console fails the test at its end."""
    contexts = []

    def open_(path: str, width: int = 1440, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="UTC", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", faults.note)
        page.on("pageerror", lambda why: faults.append(str(why)))
        page.goto(site.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not re.search(faults.expected, fault)] == []


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name=re.compile("^(Query|Filter)$"))


def rows(page: Page) -> Locator:
    return page.get_by_role("option")


def ask(page: Page, query: str) -> None:
    """Type a query over what is in the box, and run it."""
    box(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)
    page.keyboard.press("Enter")


def said(page: Page, name: str) -> str | None:
    """What the page's address says of a state."""
    return parse_qs(urlparse(page.url).query).get(name, [None])[0]


def shot(page: Page, name: str) -> None:
    kept = name in README_IMAGES and os.environ.get("CORDWOOD_SCREENSHOTS")
    folder = ROOT / "docs" / "images" if kept else ARTIFACTS
    folder.mkdir(parents=True, exist_ok=True)
    page.mouse.move(5, 500)
    page.screenshot(path=folder / f"{name}.png")


def test_a_typed_query_shows_its_results(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    expect(rows(page).first).to_be_visible()
    shot(page, "explore")
    ask(page, "needle severity>=warn")
    expect(rows(page)).to_have_count(3)
    expect(rows(page).first).to_contain_text("needle number 2")
    expect(page.get_by_text("3 events", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"scanned .* rows, .* in \d+ ms"))).to_be_visible()
    assert said(page, "q") == "needle severity>=warn"
    page.go_back()
    expect(page.get_by_text("3 events", exact=True)).to_be_hidden()


def test_a_drag_over_the_histogram_zooms_and_back_undoes_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    area = page.locator(".u-over")
    place = area.bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] * 0.5, place["y"] + 40)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.75, place["y"] + 40, steps=8)
    page.mouse.up()
    back = page.get_by_role("button", name="Back to the previous range")
    expect(back).to_be_visible()
    begin, end = (datetime.fromisoformat(said(page, name) or "") for name in ("from", "to"))
    assert timedelta(minutes=10) < end - begin < timedelta(minutes=20)
    expect(rows(page).first).to_be_visible()
    shot(page, "zoomed")
    back.click()
    expect(page.get_by_role("button", name="Time range: Last hour")).to_be_visible()
    assert said(page, "from") is None


def test_an_exact_range_is_typed(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    page.get_by_role("button", name=re.compile("^Time range")).click()
    page.get_by_label("From", exact=True).fill("soon")
    page.get_by_role("button", name="Apply range").click()
    expect(page.get_by_role("alert")).to_contain_text("is no time")
    page.get_by_label("From", exact=True).fill("-30m")
    page.get_by_role("button", name="Apply range").click()
    expect(page.get_by_role("button", name="Time range: Last 30 minutes")).to_be_visible()
    assert said(page, "from") == "-30m"


def test_an_event_opens_and_filters_by_a_click(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=needle")
    rows(page).nth(1).click()
    event = page.get_by_role("region", name="Event", exact=True)
    expect(event.get_by_label("Message", exact=True)).to_have_text("needle number 1")
    shot(page, "event")
    event.get_by_text("odd name", exact=True).hover()
    event.get_by_role("button", name="Filter in odd name a b1").click()
    expect(rows(page)).to_have_count(1)
    assert said(page, "q") == 'needle `odd name`:"a b1"'
    event.get_by_text("odd name", exact=True).hover()
    event.get_by_role("button", name="Filter out odd name a b1").click()
    expect(rows(page)).to_have_count(2)
    assert said(page, "q") == 'needle -`odd name`:"a b1"'
    rows(page).first.click()
    event.get_by_role("button", name="All of this trace").click()
    expect(rows(page)).to_have_count(3)
    assert said(page, "q") == f'trace_id:"{TRACE}"'


def test_the_sidebar_counts_fields_and_filters_by_their_values(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    fields = page.get_by_role("complementary", name="Fields")
    fields.get_by_role("button", name=re.compile("^service")).click()
    value = fields.get_by_role("list", name="Top values of service").get_by_role("listitem").filter(has_text="payments")
    value.get_by_role("button", name=re.compile("payments")).first.click()
    expect(page.get_by_role("option", name=re.compile("checkout"))).to_have_count(0)
    assert said(page, "q") == "service:payments"


def test_a_mistake_is_shown_in_its_place(open_page: Callable[..., Page], faults: Faults) -> None:
    faults.expected = r"status of 400 .*/api/v1/query"  # the browser itself notes every refused request
    page = open_page("/explore")
    expect(rows(page).first).to_be_visible()
    ask(page, "card | stats cuont() by service")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("cuont")
    expect(alert).to_contain_text("count")
    expect(alert).to_contain_text("line 1, column 14")
    expect(page.locator(".q-mistake")).to_have_text("cuont")
    expect(rows(page).first).to_be_visible()  # what was found before stays
    shot(page, "mistake")
    ask(page, "card | stats count() by service")
    expect(alert).to_be_hidden()
    expect(page.get_by_role("table")).to_contain_text("checkout")


def test_an_aggregation_is_a_table_and_can_be_exported(open_page: Callable[..., Page], site: Server) -> None:
    page = open_page("/explore?q=%7C+stats+count()+as+n+by+service&from=all")
    table = page.get_by_role("table")
    found = site.query("| stats count() as n by service")
    expect(table.get_by_role("row")).to_have_count(len(found) + 1)
    shot(page, "table")
    for name, read in (("NDJSON", read_ndjson), ("CSV", read_csv)):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as caught:
            page.get_by_role("button", name=re.compile(f"^{name}")).click()
        assert {row["service"]: int(row["n"]) for row in read(caught.value.path())} == {
            r["service"]: r["n"] for r in found
        }
    table.get_by_role("button", name="payments").click()
    assert said(page, "q") == "service:payments"
    expect(rows(page).first).to_be_visible()


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_csv(path: Path) -> list[dict[str, Any]]:
    head, *lines = (line.split(",") for line in path.read_text().splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_a_series_is_a_chart_and_the_view_is_in_the_address(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=%7C+timechart+span%3D5m+count()+by+service")
    expect(page.get_by_role("img", name=re.compile("^Chart of .*checkout"))).to_be_visible()
    shot(page, "series")
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("table")).to_be_visible()
    assert said(page, "view") == "table"


def test_a_link_opens_the_same_view(open_page: Callable[..., Page]) -> None:
    first = open_page("/explore?q=needle&from=-30m")
    rows(first).nth(2).click()
    expect(first.get_by_role("region", name="Event", exact=True)).to_be_visible()
    second = open_page(urlparse(first.url)._replace(scheme="", netloc="").geturl())
    expect(second.get_by_role("region", name="Event", exact=True).get_by_label("Message", exact=True)).to_have_text(
        "needle number 0"
    )
    expect(box(second)).to_have_text("needle")
    expect(second.get_by_role("button", name="Time range: Last 30 minutes")).to_be_visible()


def test_a_hundred_thousand_events_stay_smooth(open_page: Callable[..., Page], site: Server) -> None:
    total, day = 100_000, datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    times = ((day + timedelta(milliseconds=number // 3)).isoformat() for number in range(total))  # three a millisecond
    lines = (f'{{"timestamp":"{at}","service":"bulk","message":"number {n}"}}' for n, at in enumerate(times))
    assert site.post("\n".join(lines).encode()) == (200, {"accepted": total})
    end = day + timedelta(minutes=1)
    page = open_page(f"/explore?from={day:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}")
    expect(rows(page).first).to_be_visible()
    events, last = page.get_by_role("listbox"), page.locator(f"[role=option][aria-posinset='{total}']")
    deadline = time.monotonic() + 120
    while not last.count() and time.monotonic() < deadline:
        events.evaluate("list => list.scrollTo(0, list.scrollHeight)")
        page.wait_for_timeout(40)
    expect(last).to_be_in_viewport()  # each event once: the pages join without a gap or a twin
    expect(last).to_have_attribute("aria-setsize", str(total))
    expect(last).to_contain_text(re.compile(r"number [0-2]$"))
    assert rows(page).count() < 120
    frames = events.evaluate(
        """async list => {
            const frames = []
            for (let step = 0, last = performance.now(); step < 60; step += 1) {
                list.scrollTop = (step * 102_947) % list.scrollHeight
                await new Promise(requestAnimationFrame)
                frames.push(performance.now() - last)
                last = performance.now()
            }
            return frames.sort((a, b) => a - b)
        }"""
    )
    assert frames[30] < 100, f"half of the jumps took more than {frames[30]:.0f} ms"


def test_a_running_query_can_be_cancelled(open_page: Callable[..., Page], faults: Faults) -> None:
    page = open_page("/explore")
    expect(rows(page).first).to_be_visible()
    page.route("**/api/v1/query", lambda route: None)  # never answered, as by a query that runs long
    ask(page, "slow")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    page.unroute("**/api/v1/query")
    page.get_by_role("button", name="Run again").click()
    expect(rows(page).first).to_contain_text("slow query")


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
        site.post([event | {"timestamp": now.isoformat()} for event in made_events(now, 40)[part : part + 6]])
        page.wait_for_timeout(150)
    expect(page.get_by_text(re.compile(r"^[1-9]\d* events since opened"))).to_be_visible()
    shot(page, "tail")


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
    expect(page.get_by_role("img", name=re.compile("^Histogram"))).to_be_visible()
    shot(page, "incident")
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
    expect(page.get_by_role("heading", name="checkout errors", exact=True)).to_be_visible()


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


def test_times_switch_between_local_and_utc(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=needle&tz=local")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name=re.compile("^Local")).click()
    assert said(page, "tz") == "utc"
    page.get_by_role("button", name="Wrap long lines").click()
    assert said(page, "wrap") == "on"


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


@pytest.mark.parametrize("path", ["/explore", "/explore?q=needle", "/tail", "/alerts/incidents", "/alerts/detectors"])
def test_nothing_sticks_out_at_400_pixels(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, width=400, height=800)
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_timeout(600)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
    shot(page, "narrow" + re.sub(r"\W+", "-", path))


@pytest.mark.parametrize(
    "path", ["/explore?q=card", "/tail", "/alerts/incidents", "/alerts/notifications", "/alerts/detectors"]
)
def test_axe_finds_nothing(open_page: Callable[..., Page], site: Server, path: str) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core in web/ui/node_modules: npm ci there")
    wait_for_delivery(site)
    page = open_page(path)
    if "card" in path:
        rows(page).first.click()
        expect(page.get_by_role("region", name="Event", exact=True)).to_be_visible()
    page.wait_for_timeout(800)
    page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
        wrong = [(one["id"], one["help"], [n["html"][:160] for n in one["nodes"][:3]]) for one in found["violations"]]
        assert (scheme, wrong) == (scheme, [])
