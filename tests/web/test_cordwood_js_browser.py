"""`cordwood.js` in a real Chromium: pages of another server send what goes wrong in them, once and whatever happens."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from ..conftest import ROOT, Server
from ..sources.wire import serving
from . import shop

browser = shop.browser
pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('cordwood.')).length"


class Pages(BaseHTTPRequestHandler):
    """Any path is a page with the script; `/plain` has none."""

    html = ""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>shop</title>" + (b"" if self.path == "/plain" else self.html.encode())
        self.send_response(404 if self.path == "/missing.png" else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


class Site:
    """A server with an administrator, and pages elsewhere that may send to it."""

    def __init__(self, server: Server, port: int) -> None:
        self.server, self.port = server, port
        self.origin, self.stranger = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        self.client = httpx.Client(base_url=server.url, timeout=30)
        assert self.client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD}).status_code == 200
        made = self.client.post(
            "/api/v1/tokens", json={"name": "shop", "scopes": ["ingest"], "origins": [self.origin]}
        ).json()
        self.number, self.key = made["token"]["id"], made["secret"]

    def script(self, service: str, console: str = "warn") -> str:
        return (
            f'<script src="{self.server.url}/cordwood.js" data-key="{self.key}" data-service="{service}"'
            f' data-console="{console}"></script>'
        )

    def rows(self, query: str) -> list[dict[str, Any]]:
        found = self.client.post("/api/v1/query", json={"query": query}).json()
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]

    def count(self, service: str) -> tuple[int, int]:
        """Events and different messages."""
        (row,) = self.rows(f"service:{service} | stats count() as n, distinct_exact(message) as d")
        return row["n"], row["d"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Pages) as pages,
        serving(environment={"CORDWOOD_ADMIN_EMAIL": EMAIL, "CORDWOOD_ADMIN_PASSWORD": PASSWORD}) as server,
    ):
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        made = Site(server, pages.server_address[1])
        yield made
        made.client.close()
        pages.shutdown()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Callable[..., Any]:
    """Opens a page with the script, of the page's own origin or of a stranger's."""

    @contextmanager
    def open_(service: str, origin: str = "", path: str = "/", console: str = "warn") -> Iterator[Page]:
        Pages.html = site.script(service, console)
        with browser.new_context() as context:
            page = context.new_page()
            page.goto((origin or site.origin) + path)
            assert page.evaluate("typeof cordwood") == "object"
            yield page

    return open_


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_goes_wrong_in_a_page_arrives_scrubbed(open_page: Callable[..., Any], site: Site) -> None:
    with open_page("errors", path="/cart?session=abc#top", console="log") as page:
        page.evaluate(
            """() => {
              cordwood.fields = {'app.version': '1.2'}
              setTimeout(() => { throw new TypeError('x of undefined, ada@example.com') })
              Promise.reject(new RangeError('too far'))
              console.debug('not this')
              console.log('paid with 4111 1111 1111 1111', {id: 7})
              console.error('GET http://bob:pw@api.example/v1?a=b:1 failed, password=hunter2', new Error('refused'))
              const picture = new Image()
              picture.src = '/missing.png?size=3'
              document.body.append(picture)
              cordwood.log('INFO', 'Bearer eyJhbGciOi.J9.sig', {'order.id': 42})
              const loop = {}
              loop.loop = loop
              console.warn(loop)
              console.warn('é'.repeat(20000))
            }"""
        )
        eventually(lambda: site.count("errors")[0] >= 8)  # its own timer sends them
    found = {row["message"]: row for row in site.rows("service:errors")}
    thrown = found["Uncaught TypeError: x of undefined, <email>"]
    assert thrown["severity"] == "ERROR"
    assert thrown["exception.type"] == "TypeError"
    assert thrown["exception.message"] == "x of undefined, <email>"
    assert thrown["url.full"] == f"{site.origin}/cart"
    assert thrown["app.version"] == "1.2"
    assert "Chrome" in thrown["user_agent.original"]
    assert len({row["session.id"] for row in found.values()}) == 1
    assert found["unhandled rejection: too far"]["exception.type"] == "RangeError"
    assert found['paid with <number> {"id":7}']["severity"] == "INFO"
    (console,) = (row for message, row in found.items() if message.startswith("GET http://api.example/v1:1 failed, "))
    assert "password=<secret> Error: refused" in console["message"]
    assert (console["browser.console"], console["exception.message"]) == ("error", "refused")
    assert found[f"not loaded: {site.origin}/missing.png"]["severity"] == "WARN"
    assert found["Bearer <secret>"]["order.id"] == 42
    assert "[object Object]" in found
    assert max(map(len, found)) == 8000


def test_what_the_documentation_shows(browser: Browser, site: Site) -> None:
    page_of_docs = (ROOT / "docs" / "sources" / "browser.md").read_text()
    (html,) = re.findall(r"```html\n(.*?)```", page_of_docs, re.DOTALL)
    html = html.replace("http://localhost:8080", site.server.url).replace("TOKEN", site.key)
    Pages.html = html.replace('"shop"', '"docs"')
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.origin)
        page.evaluate(
            "() => { history.pushState({}, '', '/account'); cordwood.log('INFO', 'private'); return cordwood.flush() }"
        )
    (event,) = site.rows("service:docs")
    assert (event["message"], event["order.id"], event["app.version"]) == ("order placed", 42, "1.2")


def test_a_page_decides_what_is_sent(open_page: Callable[..., Any], site: Site) -> None:
    with open_page("own", console="off") as page:
        page.evaluate(
            """() => {
              cordwood.scrub = (event) => {
                if (event.message === 'break') throw new Error('a mistake')
                return event.message === 'keep' && {...event, user: undefined}
              }
              for (const message of ['keep', 'leave out', 'break']) cordwood.log('INFO', message, {user: 'ada'})
              console.error('not a word')
              return cordwood.flush()
            }"""
        )
    rows = site.rows("service:own")
    assert sorted(row["message"] for row in rows) == ["1 events of this page were left out", "keep"]
    assert not any("user" in row and row["user"] for row in rows)


def test_a_page_that_is_left_loses_nothing_and_doubles_nothing(open_page: Callable[..., Any], site: Site) -> None:
    with open_page("left") as page:
        page.evaluate("cordwood.log('INFO', 'last words')")
        page.goto(f"{site.origin}/plain")
        eventually(lambda: site.count("left") == (1, 1))  # the beacon
        assert page.evaluate(KEPT) == 1  # nobody told whether it arrived
        page.goto(f"{site.origin}/")
        page.wait_for_function(f"({KEPT}) === 0")
        assert site.count("left") == (1, 1)


def test_without_a_network_events_wait_in_bounds(open_page: Callable[..., Any], site: Site) -> None:
    with open_page("offline") as page:
        page.context.set_offline(True)
        page.evaluate(
            """async () => {
              for (let i = 0; i < 20; i++) { cordwood.log('INFO', `batch ${i}`); await cordwood.flush() }
            }"""
        )
        assert page.evaluate(KEPT) == 12
        page.context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_function(f"({KEPT}) === 0")
    assert {row["message"] for row in site.rows("service:offline")} == {f"batch {i}" for i in range(8, 20)}


def test_a_page_in_a_loop_is_counted(open_page: Callable[..., Any], site: Site) -> None:
    with open_page("loop") as page:
        page.evaluate(
            "() => { for (let i = 0; i < 5000; i++) cordwood.log('ERROR', `again ${i}`); return cordwood.flush() }"
        )
    assert site.count("loop") == (101, 101)
    assert site.rows("service:loop browser.left_out>0")[0]["browser.left_out"] == 4900


def test_a_strangers_page_cannot_use_the_key(open_page: Callable[..., Any], site: Site) -> None:
    send = f"""async () => {{
      const answer = await fetch('{site.server.url}/api/v1/logs', {{method: 'POST', body: 'stolen',
        headers: {{Authorization: 'Bearer {site.key}'}}}}).catch((error) => error.name)
      return answer.status || answer
    }}"""
    with open_page("stolen", origin=site.stranger) as page:
        page.evaluate("() => { cordwood.log('INFO', 'stolen'); return cordwood.flush() }")
        assert page.evaluate(KEPT) == 1
        assert page.evaluate(send) == "TypeError"  # the browser asked first
    for origin in ({"Origin": site.stranger}, {"Origin": "null"}, {}):  # a beacon asks nobody
        answer = httpx.post(
            f"{site.server.url}/api/v1/browser", params={"key": site.key}, content=b"{}", headers=origin
        )
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
    with open_page("mine") as page:
        assert page.evaluate(send.replace("stolen", "mine")) == 200
    assert [row["message"] for row in site.rows("message:stolen or message:mine")] == ["mine"]


@pytest.mark.parametrize("events", [1000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_nothing_is_lost_while_the_server_is_killed(open_page: Callable[..., Any], site: Site, events: int) -> None:
    service = f"killed-{events}"
    with open_page(service) as page:
        page.evaluate(
            f"""() => {{
              const kept = () => {KEPT}
              Object.assign(window, {{sent: 0, most: Infinity}})
              ;(async () => {{
                while (sent < most) {{
                  for (let i = 0; i < 100; i++) cordwood.log('INFO', `event ${{sent++}}`)
                  await cordwood.flush()
                  while (kept() > 8) await new Promise((done) => setTimeout(done, 50))
                }}
              }})()
            }}"""
        )
        page.wait_for_function(f"sent >= {events // 2}")
        site.server.kill()
        page.wait_for_function(f"({KEPT}) > 8")
        site.server.start()
        page.evaluate(f"most = Math.max({events}, sent)")
        page.wait_for_function(f"sent >= most && ({KEPT}) === 0", timeout=120_000)
        sent = page.evaluate("sent")
    assert sent >= events
    assert site.count(service) == (sent, sent)
