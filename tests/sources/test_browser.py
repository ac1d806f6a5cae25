"""The browser endpoint: what the script's batches become, and the script as it is served. In a browser: tests/web."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cordwood.plugins import RejectedError, iso_ns
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources.browser import ON_TIME_MS, Browser, BrowserConfig, read_batch

from ..conftest import ROOT
from .wire import received, request

pytestmark = pytest.mark.anyio
EVENT = {"severity": "ERROR", "message": "x is undefined", "url.full": "https://shop.example/cart"}
SCRIPT = ROOT / "sources" / "browser" / "cordwood.js"
MADE = SCRIPT.with_name("cordwood.min.js")
MODULES = ROOT / "web" / "ui" / "node_modules"
test_contract = http_source_contract(
    Browser,
    [(request("/api/v1/browser?id=a-1", json.dumps(EVENT).encode()), 1), (request("/api/v1/browser", b"{}"), 1)],
)


def test_the_script_is_small() -> None:
    assert len(MADE.read_bytes()) <= 3 * 1024


def test_the_script_is_made_of_its_source(tmp_path: Path) -> None:
    if not (MODULES / ".bin" / "rolldown").exists() or not shutil.which("node"):
        pytest.skip("needs web/ui/node_modules: npm ci there")
    made = tmp_path / MADE.name
    command = json.loads((ROOT / "web" / "ui" / "package.json").read_text())["scripts"]["browser"].split()
    command[0], command[-1] = str(MODULES / ".bin" / "rolldown"), str(made)
    subprocess.run(command, cwd=ROOT / "web" / "ui", check=True, capture_output=True)
    assert made.read_bytes() == MADE.read_bytes(), "run `npm run browser` in web/ui"


async def test_events_get_the_browsers_name() -> None:
    body = json.dumps(EVENT).encode() + b"\n" + json.dumps(EVENT | {"user_agent.original": "own"}).encode()
    answer, events = await received(
        Browser(BrowserConfig()), request("/api/v1/browser?key=k&id=b", body, headers={"user-agent": "Firefox/140"})
    )
    assert (answer.status, json.loads(answer.body)) == (200, {"accepted": 2})
    assert [event.get("user_agent.original") for event in events] == ["Firefox/140", "own"]
    assert all(event | EVENT == event for event in events)


@pytest.mark.parametrize("ahead_ms", [3_600_000, -3_600_000, 5_000, -60])
def test_a_wrong_clock_is_corrected(ahead_ms: int) -> None:
    now_ms = 1_769_860_800_000
    clock = now_ms + ahead_ms
    body = b"\n".join(json.dumps(EVENT | {"timestamp": at}).encode() for at in (clock - 1000, clock)) + b"\n{}"
    events = read_batch(body, "", clock, now_ms * 1_000_000).events()
    times = [iso_ns(event["timestamp"]) // 1_000_000 for event in events]
    told = {event.get("browser.clock_ahead_ms") for event in events}
    if abs(ahead_ms) <= ON_TIME_MS:
        assert (times, told) == ([clock - 1000, clock, now_ms], {None})
    else:
        assert (times, told) == ([now_ms - 1000, now_ms, now_ms], {ahead_ms})


async def test_clocks_may_be_left_alone() -> None:
    body = json.dumps(EVENT | {"timestamp": 1_769_860_800_000}).encode()
    for correct in (True, False):
        source = Browser(BrowserConfig(correct_clocks=correct))
        _, (event,) = await received(source, request("/api/v1/browser?at=1769860800000", body))
        assert (event["timestamp"] == "2026-01-31T12:00:00.000000000Z") is not correct


@pytest.mark.parametrize("name", ["a b", "x" * 101, "é"])
async def test_an_id_that_is_none(name: str) -> None:
    with pytest.raises(RejectedError, match="id must have"):
        await Browser(BrowserConfig()).receive(request(f"/api/v1/browser?id={name}", b"{}"), None)  # type: ignore[arg-type]
