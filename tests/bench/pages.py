"""Explore in a real Chromium on the demo: its largest paint, typing to the next frame, 100,000 events scrolled.

The browser and the server share the machine, so that every figure is one of both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from ..services import find_chromium
from .server import Server

EVENTS = 100_000
COLD_LOADS = 5
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
QUERY = "service:checkout severity>=warn | stats count() as n by host"

_LARGEST = """() => new Promise(done => {
    const kind = {type: 'largest-contentful-paint', buffered: true}
    new PerformanceObserver(list => done(list.getEntries().at(-1).startTime)).observe(kind)
})"""
_WATCH_KEYS = """() => {
    window.keyTimes = []
    document.addEventListener('keydown', event => requestAnimationFrame(() => {
        const painted = new MessageChannel()
        painted.port1.onmessage = () => window.keyTimes.push(performance.now() - event.timeStamp)
        painted.port2.postMessage(null)
    }), {capture: true})
}"""
_WATCH_TASKS = """() => {
    window.longTasks = []
    const keep = list => window.longTasks.push(...list.getEntries().map(one => one.duration))
    new PerformanceObserver(keep).observe({type: 'longtask'})
}"""
_SCROLL = """async ([seconds, pixels]) => {
    const list = document.querySelector('[role=listbox]')
    window.longTasks.length = 0
    list.scrollTop = 0
    const frames = []
    const begin = performance.now()
    for (let last = begin; last - begin < seconds * 1000;) {
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        frames.push(now - last)
        last = now
        list.scrollTop = (list.scrollTop + pixels) % list.scrollHeight
    }
    await new Promise(done => setTimeout(done, 100))
    return {frames, tasks: window.longTasks}
}"""


def run(folder: Path) -> dict[str, Any]:
    """A server with the demo's events and 100,000 of one hour ten days ago; milliseconds and frames a second."""
    program = find_chromium()
    if program is None:
        raise RuntimeError("no Chromium: install one, or name it in CORDWOOD_CHROMIUM")
    folder.mkdir(mode=0o755)
    with Server(folder, arguments=["--demo"]) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=FLAGS)
        found = {"paints_ms": [_paint(browser, server) for _ in range(COLD_LOADS)], "keys_ms": _typing(browser, server)}
        return found | _scrolling(browser, server)


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(address)
    page.get_by_role("option").first.wait_for()
    return page


def _paint(browser: Browser, server: Server) -> float:
    """The largest paint of Explore, by a browser that has nothing of it."""
    page = _opened(browser, f"{server.url}/explore")
    page.wait_for_timeout(500)
    largest: float = page.evaluate(_LARGEST)
    page.context.close()
    return largest


def _typing(browser: Browser, server: Server) -> list[float]:
    """From each key pressed in the query box, with completion at work, to the frame that shows it."""
    page = _opened(browser, f"{server.url}/explore")
    page.get_by_role("textbox", name="Query").click()
    page.evaluate(_WATCH_KEYS)
    page.keyboard.type(QUERY, delay=60)
    page.wait_for_timeout(300)
    times: list[float] = page.evaluate("window.keyTimes")
    page.context.close()
    return times


def _lines(start: datetime) -> Iterator[bytes]:
    for number in range(EVENTS):
        at = (start + timedelta(milliseconds=number // 3)).isoformat()
        event = {
            "timestamp": at,
            "severity": "INFO",
            "service": "bulk",
            "message": f"GET /items/{number} 200",
            "n": number,
        }
        yield json.dumps(event).encode()


def _scrolling(browser: Browser, server: Server) -> dict[str, Any]:
    """Load all of them by going to the end again and again; then scroll, by three rows a frame and by two screens."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    status, answer, _ = server.call(
        "POST", "/api/v1/logs", b"\n".join(_lines(start)), {"Content-Type": "application/x-ndjson"}
    )
    if status != 200:
        raise RuntimeError(answer[:200])
    end = start + timedelta(minutes=1)
    page = _opened(browser, f"{server.url}/explore?from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}")
    page.evaluate(_WATCH_TASKS)
    last = page.locator(f"[role=option][aria-posinset='{EVENTS}']")
    began = time.monotonic()
    while not last.count():
        if time.monotonic() - began > 300:
            raise RuntimeError("the list did not come to its end in 300 s")
        page.get_by_role("listbox").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        page.wait_for_timeout(40)
    found: dict[str, Any] = {
        "loaded_s": time.monotonic() - began,
        "loading_tasks_ms": page.evaluate("window.longTasks"),
    }
    found |= {"slow": page.evaluate(_SCROLL, [5, 81]), "fast": page.evaluate(_SCROLL, [5, 1300])}
    page.context.close()
    return found


def report(figures: dict[str, Any]) -> str:
    """The figures for people, each with its aim."""
    paints, keys = figures["paints_ms"], figures["keys_ms"]
    longest = max(figures["loading_tasks_ms"], default=0)
    lines = [
        (
            f"Explore in Chromium, {COLD_LOADS} times with a cold cache: largest paint {median(paints):.0f} ms median, "
            f"{max(paints):.0f} ms at most (aim 1500)"
        ),
        (
            f"  typing: {median(keys):.0f} ms to the next frame median, "
            f"{quantiles(keys, n=20)[-1]:.0f} ms for 95 of 100, "
            f"{max(keys):.0f} ms at most (aim 50)"
        ),
        f"  {EVENTS:,} events loaded in {figures['loaded_s']:.1f} s, longest task {longest:.0f} ms",
    ]
    for name, words in (("slow", "three rows a frame"), ("fast", "two screens a frame")):
        frames, tasks = figures[name]["frames"], figures[name]["tasks"]
        lines.append(
            f"  scrolled by {words}: {1000 * len(frames) / sum(frames):.0f} frames a second (aim 50), "
            f"longest task {max(tasks, default=0):.0f} ms (aim 100)"
        )
    return "\n".join(lines)
