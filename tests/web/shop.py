"""What the browser tests share: a shop's events on a real server, a real Chromium, and the words to use its pages.

Pictures go to tests/.artifacts; with CORDWOOD_SCREENSHOTS=1 those for the documentation to docs/images.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from ..conftest import ROOT, Server, data_folder
from ..services import find_chromium

ARTIFACTS = ROOT / "tests" / ".artifacts"
PICTURES = ROOT / "docs" / "images"
AXE = ROOT / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SETTLED = "Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))"
SHOWN = {
    "explore", "columns", "event", "completion", "mistake", "series", "table", "saved", "tail", "patterns", "dashboard",
    "dashboard-editor", "alerts", "incident", "acknowledge", "silences", "backtest", "notifications", "detectors",
    "pipelines", "pipelines-error", "reports", "start", "first-event", "sign-in", "sign-in-oidc", "sign-in-again",
    "choose-password", "settings-system", "settings-account", "settings-projects", "members", "roles", "role-refused",
    "service-accounts", "tokens", "settings-notifiers", "settings-lookups", "settings-retention", "audit",
    "settings-plugins", "settings-recordings", "passkeys", "second-factor", "shares", "share-query", "shared-query",
    "shared-dashboard", "shared-over", "reset-ask", "reset-choose",
}  # fmt: skip
"""Of which there are pictures in both themes in docs/images, which docs/pages.md shows."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SERVICES = ("checkout", "payments", "gateway", "catalog", "auth")
CONFIG = """
version: 1
detectors:
  error bursts:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 20"
    window: 1h
    every: 1s
    notify: [oncall]
notifiers:
  oncall: {type: webhook, url: "http://127.0.0.1:PORT/hook"}
reports:
  weekly: {schedule: "0 8 * * MON", title: The shop's week, dashboard: overview, period: 1h, notify: [oncall]}
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
    links: ClassVar[dict[int, str]] = {}
    pages: ClassVar[dict[str, str]] = {}
    """By service: the address of its incident, as it was told."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "acknowledge" in told:
            self.links[told["incident_id"]] = told["acknowledge"]
        if told.get("event") == "opened":
            self.pages[told["group"].get("service", "")] = told["link"]
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
def site(hook_port: int, cluster: Path) -> Iterator[Server]:
    """One server for all tests of this file, with the shop's events in it and a detector that fires on them."""
    with data_folder() as folder:
        server = Server(folder, CONFIG.replace("PORT", str(hook_port)), cluster=cluster)
        server.start()
        status, _ = server.post(made_events(datetime.now(UTC)))
        assert status == 200
        yield server
        server.stop()
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        shutil.move(server.log, ARTIFACTS / "ui-server.log")
        if server.config:
            server.config.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    assert program, "no Chromium: install one, or name it in CORDWOOD_CHROMIUM"
    expect.set_options(timeout=15_000)  # as long as a page has: a busy machine is slow, not wrong
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


def axe(page: Page, *schemes: str) -> None:
    """axe-core finds no violation in each of these themes, or in the one that is shown."""
    if not AXE.exists():
        pytest.skip("needs axe-core in web/ui/node_modules: npm ci there")
    page.evaluate(AXE.read_text())
    for scheme in schemes or (None,):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate(SETTLED)  # colours change by transitions: half-way none has its contrast
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
        wrong = [(one["id"], one["help"], [n["html"][:160] for n in one["nodes"][:3]]) for one in found["violations"]]
        assert not wrong, f"{page.url}, {scheme}: {wrong}"


def fits(page: Page, width: int) -> None:
    """Nothing sticks out at this width of the window, once the page has followed it; else its deadline passes."""
    expect(page.locator("[role=status][aria-label^=Loading]")).to_have_count(0)
    page.wait_for_function("width => innerWidth === width && document.scrollingElement.scrollWidth <= width", arg=width)


def shot(page: Page, name: str) -> None:
    """A picture of what is to be seen; with CORDWOOD_SCREENSHOTS those of `SHOWN` for the documentation."""
    page.mouse.move(0, 0)
    expect(page.locator("[role=status][aria-label^=Loading]")).to_have_count(0)
    if name not in {*SHOWN, "report"} or not os.environ.get("CORDWOOD_SCREENSHOTS"):
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png", animations="disabled")  # none half-way from theme to theme
        return
    for scheme in ("dark", "light") if name in SHOWN else ("light",):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(200)
        taken = Image.open(BytesIO(page.screenshot(animations="disabled")))
        file = PICTURES / f"{name}{'-dark' if scheme == 'dark' else ''}.png"
        taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
