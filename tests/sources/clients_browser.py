"""Chromium with `cordwood.js` over a kill: pages keep their batches until the server has answered for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from queue import Empty, Queue

from playwright.sync_api import Page, sync_playwright

from ..services import find_chromium
from .killing import GIVE_UP_S, Client, Loss, Send, Stage

PAGES = 10
BATCH = 80
"""Events that a page sends at once: it takes a hundred, and keeps twelve batches while there is no server."""
LOAD = """(service) => new Promise((loaded) => {
  const script = document.createElement('script')
  Object.assign(script.dataset, {service, console: 'off'})
  Object.assign(script, {src: '/cordwood.js', onload: loaded})
  document.head.append(script)
})"""
LOG = """async (lines) => {
  for (const line of lines) cordwood.log('INFO', line)
  await cordwood.flush()
}"""
ALL_SENT = "() => cordwood.flush().then(() => !Object.keys(localStorage).some((name) => name.startsWith('cordwood.')))"


@contextmanager
def chromium(stage: Stage) -> Iterator[Send]:
    """Pages of the server's own origin, each with a storage of its own; in one thread, as Playwright wants."""
    given: Queue[int | None] = Queue(BATCH)
    failed: list[BaseException] = []

    def browse() -> None:
        try:
            _browse(stage, given)
        except BaseException as why:  # raised again where the client is closed
            failed.append(why)
            while given.get() is not None:
                pass

    thread = threading.Thread(target=browse)
    thread.start()
    yield given.put
    given.put(None)
    thread.join(2 * GIVE_UP_S)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def _browse(stage: Stage, given: Queue[int | None]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=["--no-sandbox"])
        pages = [browser.new_context().new_page() for _ in range(PAGES)]
        for page in pages:
            page.goto(f"{stage.server.url}/healthz")
            page.evaluate(LOAD, "shop")
        _log(stage, given, pages)
        for page in pages:
            page.wait_for_function(ALL_SENT, polling=500, timeout=GIVE_UP_S * 1000)
        browser.close()


def _log(stage: Stage, given: Queue[int | None], pages: list[Page]) -> None:
    """Each batch by the next page; what makes none is sent after a second."""
    turns = cycle(pages)
    ended = False
    while not ended:
        lines: list[str] = []
        try:
            while len(lines) < BATCH and not ended:
                number = given.get(timeout=1)
                ended = number is None
                lines += [] if number is None else [stage.text(number)]
        except Empty:
            pass
        if lines:
            next(turns).evaluate(LOG, lines)


BROWSER: Mapping[str, Client] = {"chromium": Client(chromium, Loss.NOTHING)}
