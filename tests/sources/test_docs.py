"""docs/sources.md: each client in it sends its events to a server, as the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.runtime.configs import load_checked
from cordwood.plugins import load_plugins

from ..conftest import Server
from ..services import JAVASCRIPT, NODE
from .wire import serving

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
OF_NO_CLIENT = "Sources that cannot wait"  # of several sources
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"```(python|javascript)\n(.*?)```", section, re.DOTALL)
    for section in PAGE.split("\n## ")[1:]
    # Those with settings of their own: test_docs_listening.py; with a page: tests/web/test_cordwood_js_browser.py
    if not section.startswith(OF_NO_CLIENT)
    and ("```yaml" not in section or ":8080" in section)
    and "```html" not in section
}


SENT = "service:shop or source:shop | stats count() as n"
"""What the clients send: those of Splunk have a source in place of a service."""


@pytest.mark.parametrize("settings", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_settings_of_the_page(settings: str, tmp_path: Path) -> None:
    file = tmp_path / "cordwood.yaml"
    file.write_text(settings)
    assert load_checked(file, load_plugins()).sources


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("name", SECTIONS)
def test_the_client_of_the_page(served: Server, name: str) -> None:
    assert SECTIONS[name], "the section has no client"
    for language, snippet in SECTIONS[name]:
        before = served.query(SENT)[0]["n"]
        code = re.sub(r"(localhost|127\.0\.0\.1):8080", f"127.0.0.1:{served.port}", snippet).replace(
            "8080", str(served.port)
        )
        command = [sys.executable, "-c", code]
        if language == "javascript":
            command = [str(NODE), "-e", f"{code}\nsend().then((taken) => process.exit(taken ? 0 : 1))"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=JAVASCRIPT)
        assert done.returncode == 0, done.stderr
        assert served.query(SENT)[0]["n"] > before
