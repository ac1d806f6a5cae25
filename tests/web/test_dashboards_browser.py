"""Dashboards in a real Chromium: shown, made, moved, saved, chosen, exported; by keyboard and on a narrow screen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from ..conftest import Server
from . import shop
from .shop import Faults, ask, axe, said, shot

site, browser, faults, open_page = shop.site, shop.browser, shop.faults, shop.open_page
hook_port = shop.hook_port
pytestmark = pytest.mark.browser
JSON = {"Content-Type": "application/json"}
PATH = "/api/v1/dashboards"
EVIL = "<img src=x onerror=\"document.title='evil'\"> [go](javascript:document.title='evil') **bold**"


def panel(id_: str, x: int, y: int, query: str, kind: str = "top", **more: Any) -> dict[str, Any]:
    place = {"x": x, "y": y, "w": 6, "h": 5}
    return {"id": id_, "title": id_.title(), "kind": kind, "position": place, "query": query, **more}


@pytest.fixture
def mine(site: Server) -> Iterator[str]:
    """A dashboard of two panels and a variable; its name."""
    service = {"name": "service", "field": "service", "query": "| top 20 service", "multiple": True}
    panels = [
        panel("services", 0, 0, "$service | top 5 service"),
        panel("rates", 6, 0, "$service | timechart count() by service", "timeseries"),
    ]
    document = {"name": "mine", "title": "Mine", "variables": [service], "panels": panels}
    status, answer = site.call("POST", PATH, json.dumps(document).encode(), JSON)
    assert status == 201, answer
    yield "mine"
    site.call("DELETE", f"{PATH}/mine")


def stored(site: Server, name: str = "mine") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.call("GET", f"{PATH}/{name}")[1])
    return found


def region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def settled(page: Page) -> None:
    """Until every panel shows an answer."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[role=status][aria-label^=Loading]")).to_have_count(0)
    expect(page.locator("section[data-stale]")).to_have_count(0)


def test_the_overview_is_there_at_once(open_page: Callable[..., Page]) -> None:
    page = open_page("/explore")
    page.get_by_role("link", name="Boards").click()
    page.get_by_role("link", name=re.compile("^Overview")).click()
    settled(page)
    expect(region(page, "Events")).to_contain_text("2,403")
    expect(region(page, "Events by severity").get_by_role("img")).to_be_visible()
    expect(region(page, "Most events")).to_contain_text("payments")
    expect(region(page, "Top patterns of warnings and errors")).to_contain_text("card declined for user <*>")
    expect(region(page, "Recent errors")).to_contain_text("upstream timeout")
    expect(page.get_by_role("alert")).to_have_count(0)
    shot(page, "dashboard")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)  # colours change in 90 ms
    shot(page, "dashboard-dark")


def test_a_choice_holds_for_every_panel_and_stands_in_the_address(open_page: Callable[..., Page], mine: str) -> None:
    page = open_page(f"/dashboards/{mine}")
    settled(page)
    expect(region(page, "Services").get_by_role("listitem")).to_have_count(5)
    page.get_by_role("button", name="service: all").click()
    for name in ("auth", "catalog"):
        page.get_by_role("checkbox", name=name).check()
    page.keyboard.press("Escape")
    expect(region(page, "Services").get_by_role("listitem")).to_have_count(2)
    expect(region(page, "Rates").get_by_role("listitem")).to_have_text(["auth", "catalog"])
    assert said(page, "v.service") == "auth,catalog"
    page.reload()
    expect(region(page, "Services").get_by_role("listitem")).to_have_count(2)


def test_ways_lead_on_to_explore(open_page: Callable[..., Page], mine: str) -> None:
    page = open_page(f"/dashboards/{mine}")
    settled(page)
    region(page, "Services").get_by_role("button", name=re.compile("^auth")).click()
    expect(page).to_have_url(re.compile("/explore"))
    assert said(page, "q") == "* service:auth"
    page.go_back()
    settled(page)
    over = region(page, "Rates").locator(".u-over").bounding_box()
    assert over
    page.mouse.move(over["x"] + over["width"] * 0.3, over["y"] + 40)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.6, over["y"] + 60, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Zoom all panels").click()
    settled(page)
    assert said(page, "from")
    assert said(page, "to")
    page.get_by_role("button", name="Back to the previous range").click()
    expect(page).not_to_have_url(re.compile("from="))
    region(page, "Rates").hover()
    page.get_by_role("button", name="Enlarge Rates").click()
    expect(region(page, "Services")).to_have_count(0)
    assert said(page, "panel") == "rates"
    page.keyboard.press("Escape")
    expect(region(page, "Services")).to_be_visible()
    region(page, "Rates").hover()
    page.get_by_role("link", name="Open Rates in Explore").click()
    expect(page).to_have_url(re.compile("/explore"))
    assert said(page, "q") == "* | timechart count() by service"


def test_panels_are_moved_sized_edited_and_saved(open_page: Callable[..., Page], site: Server, mine: str) -> None:
    page = open_page(f"/dashboards/{mine}")
    settled(page)
    page.get_by_role("button", name="Edit", exact=True).click()
    head = region(page, "Services").get_by_role("heading")
    box = head.bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 670, box["y"] + 30, steps=6)
    page.mouse.up()
    grip = page.get_by_role("button", name=re.compile("^Move Services"))
    grip.focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    page.get_by_role("button", name="Edit Rates").click()
    editor = page.get_by_role("dialog", name="Edit Rates")
    editor.get_by_label("Title").fill("Rates of errors")
    editor.get_by_label("Bars", exact=True).check()
    expect(editor.get_by_role("region", name="Preview").get_by_role("img")).to_be_visible()
    shot(page, "dashboard-editor")
    editor.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Copy Services").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    kept = {one["id"]: one for one in stored(site)["panels"]}
    assert list(kept) == ["services", "rates", "services-2"]
    assert kept["services"]["position"] | {"y": 0} == {"x": 6, "y": 0, "w": 5, "h": 6}
    assert (kept["rates"]["title"], kept["rates"]["kind"]) == ("Rates of errors", "bar")


def test_what_the_server_refuses_is_shown_and_nothing_is_lost(
    open_page: Callable[..., Page], site: Server, mine: str, faults: Faults
) -> None:
    faults.expected = "status of 4"
    page = open_page(f"/dashboards/{mine}?edit=1")
    settled(page)
    page.get_by_role("button", name="Edit Rates").click()
    ask_in = page.get_by_role("textbox", name="Query of the panel")
    ask_in.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("| timechrt count()")
    page.get_by_role("button", name="Done").click()
    expect(region(page, "Rates").get_by_role("alert")).to_contain_text("timechart")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="Rates, line 1, column 3")).to_be_visible()
    shot(page, "dashboard-mistake")
    page.get_by_role("button", name="Edit Rates").click()
    ask_in.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("| timechart count()")
    page.get_by_role("button", name="Done").click()
    other = stored(site) | {"title": "Changed by another"}
    assert site.call("PUT", f"{PATH}/mine", json.dumps(other).encode(), JSON | {"If-Match": "*"})[0] == 200
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Overwrite it").click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    assert stored(site)["title"] == "Mine"


def test_a_panel_comes_from_explore_and_a_dashboard_goes_round(
    open_page: Callable[..., Page], site: Server, tmp_path: Path
) -> None:
    page = open_page("/explore")
    ask(page, "severity>=error | stats count()")
    box = page.get_by_role("textbox", name="Query")
    box.fill("severity>=error | stats count() as n by service")  # and not run: what stands in the box is meant
    page.get_by_role("button", name="Add to dashboard").click()
    expect(page.get_by_text("severity>=error | stats count() as n by service").last).to_be_visible()
    expect(page.get_by_label("Title of the panel")).to_have_value("Errors by service")
    page.get_by_label("Title of the panel").fill("Errors, counted")
    page.get_by_label("Dashboard", exact=True).select_option("New dashboard")
    expect(page.get_by_label("Title of the new dashboard")).to_have_value("Errors, counted")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("status").get_by_role("link", name="Errors, counted").click()
    settled(page)
    expect(region(page, "Errors, counted").get_by_role("listitem")).to_have_count(5)
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    file = tmp_path / "exported.json"
    download.value.save_as(file)
    assert json.loads(file.read_text()) == stored(site, "errors-counted")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/dashboards$"))
    expect(page.get_by_role("link", name=re.compile("Errors, counted"))).to_have_count(0)
    page.get_by_role("button", name="Import").click()
    page.get_by_label("A file with a dashboard").set_input_files(file)
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    expect(region(page, "Errors, counted").get_by_role("listitem")).to_have_count(5)
    assert site.call("DELETE", f"{PATH}/errors-counted")[0] == 204


def test_the_keyboard_makes_a_dashboard_and_html_stays_text(open_page: Callable[..., Page], site: Server) -> None:
    page = open_page("/dashboards")
    page.get_by_role("button", name="New dashboard").focus()
    press = page.keyboard.press
    press("Enter")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("By keys")
    press("Enter")
    expect(page.get_by_text("No panels yet")).to_be_visible()
    page.get_by_role("button", name="Add panel").focus()
    press("Enter")
    page.get_by_role("radio", name="Text").focus()
    press("Space")
    page.get_by_label("Markdown").focus()
    page.keyboard.type(EVIL)
    page.get_by_role("button", name="Done").focus()
    press("Enter")
    grip = page.get_by_role("button", name=re.compile("^Move New panel"))
    grip.focus()
    press("ArrowRight")
    press("ArrowRight")
    press("Shift+ArrowRight")
    page.get_by_role("button", name="Save").focus()
    press("Enter")
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    text = region(page, "New panel")
    expect(text).to_contain_text("<img src=x onerror=")
    expect(text.locator("strong")).to_have_text("bold")
    expect(text.locator("img, a[href^=javascript]")).to_have_count(0)
    assert page.title() != "evil"
    (kept,) = stored(site, "by-keys")["panels"]
    assert kept["position"] == {"x": 2, "y": 0, "w": 7, "h": 6}
    assert site.call("DELETE", f"{PATH}/by-keys")[0] == 204


def test_on_a_narrow_screen_panels_stand_below_each_other(open_page: Callable[..., Page]) -> None:
    for path in ("/dashboards", "/dashboards/overview"):
        page = open_page(path, width=400, height=800)
        settled(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
        shot(page, "narrow" + path.replace("/", "-"))
    boxes = [box for one in page.locator("main section").all() if (box := one.bounding_box())]
    assert len({round(box["x"]) for box in boxes}) == 2  # numbers stand in pairs
    assert min(box["width"] for box in boxes) > 170


@pytest.mark.parametrize(
    "path", ["", "/overview", "/cordwood", "/mine?edit=1"], ids=["list", "overview", "cordwood", "edited"]
)
def test_axe_finds_nothing(open_page: Callable[..., Page], mine: str, path: str) -> None:
    page = open_page(f"/dashboards{path}")
    settled(page)
    axe(page, "light", "dark")
