"""Reports in a real Chromium: preview, make, send, past issues as page, PDF and CSV; and the same by command."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..conftest import CORDWOOD, Server
from . import shop
from .shop import axe, shot

site, browser, faults, open_page = shop.site, shop.browser, shop.faults, shop.open_page
hook_port = shop.hook_port
pytestmark = pytest.mark.browser


def test_a_report_is_looked_at_made_and_sent(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page("/explore")
    page.get_by_role("link", name="Reports").click()
    report = page.get_by_role("article", name="The shop's week")
    expect(report).to_contain_text("Mondays at 08:00 UTC")
    with page.context.expect_page() as opened:
        report.get_by_role("link", name="Preview").click()
    preview = opened.value
    expect(preview.get_by_role("heading", level=1)).to_have_text("The shop's week")
    expect(preview.get_by_role("list").first).to_contain_text("Events: 2,403, none before.")
    expect(preview.get_by_role("img", name=re.compile("^Events by severity"))).to_be_visible()
    preview.set_viewport_size({"width": 900, "height": 1100})
    shot(preview, "report")
    preview.close()
    report.get_by_role("button", name="Send now").click()
    past = report.get_by_role("list", name="Past issues")
    expect(past).to_contain_text("requested by this machine", timeout=60_000)
    expect(past).to_contain_text("sent by oncall", timeout=60_000)
    with page.expect_download() as download:
        past.get_by_role("link", name="PDF").first.click()
    download.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    shot(page, "reports")
    axe(page)


def test_on_a_narrow_screen_nothing_sticks_out(open_page: Callable[..., Page]) -> None:
    page = open_page("/reports?name=weekly", width=400, height=800)
    expect(page.get_by_role("article")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
    shot(page, "narrow-reports")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["weekly", "--out", "w.pdf"], 0, "Events: 2,403, none before."),
        (["weekly", "--out", "w.zip"], 0, "Events: 2,403"),
        (["monthly"], 1, "no report `monthly`"),
        (["weekly", "--out", "w.doc"], 1, "the ending must be one of .pdf, .html, .zip"),
    ],
    ids=["pdf", "zip", "unknown", "ending"],
)
def test_by_command(site: Server, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    command = [str(CORDWOOD), "report", "run", *arguments, "--data-dir", str(site.data_dir)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=site.environment, check=False)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
    for file in tmp_path.iterdir():
        assert file.read_bytes()[:2] == {".pdf": b"%P", ".zip": b"PK"}[file.suffix]
