"""The pages about parsers: each shows a pipeline whose tests pass, and the overview names them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cordwood.cli.test import test as run_tests
from cordwood.plugins import load_plugins

from ..conftest import ROOT
from .geoip_database import HAMBURG, written

OVERVIEW = ROOT / "docs" / "parsers.md"
PAGES = sorted((ROOT / "docs" / "parsers").glob("*.md"))
SHOWN = [
    pytest.param(text, id=f"{page.stem} {number}")
    for page in (OVERVIEW, *PAGES)
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL), 1)
]


@pytest.mark.parametrize("text", SHOWN)
def test_the_tests_on_the_page_pass(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GEOIP_DATABASE", str(written(tmp_path / "places.mmdb", {"192.0.2.0/24": HAMBURG})))
    file = tmp_path / "page.yaml"
    file.write_text(text)
    run_tests(file)  # as `cordwood test FILE`, which ends with 1 where one fails
    number = text.count("- input:")
    assert f"{number} of {number} tests passed" in capsys.readouterr().out
    assert number


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_uses_its_parser(page: Path) -> None:
    shown = "".join(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
    assert re.search(rf"type: {page.stem}\b", shown)


def test_every_parser_is_named() -> None:
    named = set(re.findall(r"\]\(parsers/(\w+)\.md\)", OVERVIEW.read_text()))
    own = {name for name, found in load_plugins().kinds["parser"].items() if found.package == "cordwood"}
    assert named == own == {page.stem for page in PAGES}
