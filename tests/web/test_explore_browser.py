"""Explore in a real Chromium against a real server: search, zoom, filters, mistakes, tables, links, many events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, expect

from ..conftest import Server
from . import shop
from .shop import TRACE, Faults, ask, axe, box, rows, said, shot

site, browser, faults, open_page = shop.site, shop.browser, shop.faults, shop.open_page
hook_port = shop.hook_port
pytestmark = pytest.mark.browser
LINES = "lines => lines.map(line => line.querySelector('.cm-placeholder') ? '' : line.textContent).join('|')"


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


def test_the_box_edits_as_any_other(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    box(page).click()
    page.keyboard.type("alpha beta  gamma")
    for keys, text in (
        (["Backspace"], "alpha beta  gamm"),
        (["Control+Backspace"], "alpha beta  "),
        (["Home", "Delete"], "lpha beta  "),
        (["ArrowRight", "x"], "lxpha beta  "),
        (["End", "Shift+Home", "y"], "y"),
        (["Control+z"], "lxpha beta  "),
        (["Control+a", "Delete"], ""),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert box(page).locator(".cm-line").evaluate_all(LINES) == text, keys
    page.keyboard.insert_text("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Backspace")
    assert box(page).locator(".cm-line").all_text_contents() == ["one", "tw"]


def test_past_queries_come_back_with_the_arrows(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=needle")
    ask(page, "first")
    ask(page, "second")
    box(page).click()
    page.keyboard.insert_text(" draft")
    for key, text in (
        ("ArrowUp", "second"),
        ("ArrowUp", "first"),
        ("ArrowDown", "second"),
        ("ArrowDown", "second draft"),
    ):
        page.keyboard.press(key)
        expect(box(page)).to_have_text(text)
    page.get_by_role("button", name="Query history").click()
    page.get_by_role("dialog", name="Query history").get_by_role("button", name="first").click()
    expect(box(page)).to_have_text("first")
    assert said(page, "q") == "first"


def test_what_can_stand_at_the_cursor_is_offered(open_page: Callable[..., Page], faults: Faults) -> None:
    faults.expected = r"status of 400 .*/api/v1/query"
    page = open_page("/explore")
    offered = page.locator(".cm-tooltip-autocomplete")
    box(page).click()
    page.keyboard.type("serv")
    expect(offered.get_by_role("option").first).to_contain_text("service:")
    page.keyboard.press("Tab")
    expect(offered.get_by_role("option").filter(has_text="payments")).to_be_visible()  # values follow a field
    page.keyboard.type("pay")
    expect(offered.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(box(page)).to_have_text("service:payments")
    page.keyboard.type(" | ")
    expect(offered.get_by_role("option").filter(has_text="timechart")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".cm-completionInfo")).to_be_visible()
    shot(page, "completion")
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    page.keyboard.type("stats count() as total by host | sort tot")
    expect(offered.get_by_role("option").first).to_contain_text("total")
    page.keyboard.press("Enter")  # nothing was chosen of what is offered, so this runs what was typed
    expect(page.get_by_role("alert")).to_contain_text("no column tot here")
    expect(offered).to_be_hidden()


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


def test_fields_are_given_columns(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=card")
    first, heads = rows(page).first, page.get_by_role("group", name="Columns")
    expect(first).to_contain_text("http.status=")
    expect(heads).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    menu = page.get_by_role("dialog", name="Columns")
    menu.get_by_label("Find a field for a column").fill("http")
    menu.get_by_role("checkbox", name="http.status").check()
    menu.get_by_label("Find a field for a column").fill("host")
    menu.get_by_role("checkbox", name="host").check()
    page.keyboard.press("Escape")
    expect(heads).to_have_text(re.compile("^time *severity *service *http.status *host *message$"))
    expect(first).not_to_contain_text("http.status=")
    expect(first).to_have_text(re.compile(r"ERROR.*50[023]web-\dcard declined"))
    assert said(page, "cols") == "http.status,host"
    first.click()
    event = page.get_by_role("region", name="Event", exact=True)
    event.get_by_text("user", exact=True).hover()
    event.get_by_role("button", name="Column user").click()
    event.get_by_role("button", name="Close the event").click()
    shot(page, "columns")
    axe(page, "light", "dark")
    page.reload()
    heads.get_by_role("button", name="Remove the column http.status").click()
    expect(heads).to_have_text(re.compile("service *host *user *message$"))
    assert said(page, "cols") == "host,user"
    page.set_viewport_size({"width": 400, "height": 800})
    expect(first).to_contain_text("web-")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400


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


def test_an_answer_that_breaks_off_is_no_result(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    expect(rows(page).first).to_be_visible()
    told = 'event: progress\ndata: {"segments_opened": 3, "segments_total": 8, "rows": 5, "bytes": 9}\n\n'
    page.route("**/api/v1/query", lambda route: route.fulfill(content_type="text/event-stream", body=told))
    ask(page, "needle")
    expect(page.get_by_role("alert").filter(has_text="The answer broke off")).to_be_visible()
    page.unroute("**/api/v1/query")
    page.get_by_role("alert").filter(has_text="broke off").get_by_role("button", name="Try again").click()
    expect(rows(page)).to_have_count(3)


def test_times_switch_between_local_and_utc(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore?q=needle&tz=local")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name=re.compile("^Local")).click()
    assert said(page, "tz") == "utc"
    page.get_by_role("button", name="Wrap long lines").click()
    assert said(page, "wrap") == "on"


def test_a_query_is_saved_and_opened_again(open_page: Callable[..., Page], faults: Faults) -> None:
    faults.expected = "409"  # the name that is taken
    page = open_page("/explore?q=needle+severity%3E%3Dwarn")
    page.get_by_role("button", name="Saved queries").click()
    menu = page.get_by_role("dialog", name="Saved queries")
    menu.get_by_label("Name").fill("sharp needles")
    menu.get_by_role("button", name="Save").click()
    saved = menu.get_by_role("button", name=re.compile("^sharp needles"))
    expect(saved).to_contain_text("needle severity>=warn")
    shot(page, "saved")
    menu.get_by_label("Name").fill("sharp needles")
    menu.get_by_role("button", name="Save").click()
    expect(menu.get_by_role("alert")).to_contain_text("there is a saved query `sharp needles` already")
    page.keyboard.press("Escape")
    ask(page, "`sharp needles`() | stats count() as n")
    expect(page.get_by_role("table")).to_contain_text("3")
    page.get_by_role("button", name="Saved queries").click()
    saved.click()
    expect(page.get_by_text("3 events", exact=True)).to_be_visible()
    assert said(page, "q") == "needle severity>=warn"
    page.get_by_role("button", name="Saved queries").click()
    menu.get_by_role("button", name="Delete sharp needles").click()
    expect(saved).to_have_count(0)
