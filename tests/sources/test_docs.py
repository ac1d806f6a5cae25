"""docs/sources/: each client of a source that needs no entry in the YAML sends its events to a server, as written."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.runtime.configs import load_checked
from cordwood.plugins import load_plugins

from ..conftest import ROOT, Server
from ..services import JAVASCRIPT, NODE
from .pages import PAGES, snippets
from .wire import serving

CLIENTS = {
    name: re.findall(r"```(python|javascript)\n(.*?)```", text, re.DOTALL)
    for name, text in PAGES.items()
    # Those with settings of their own: test_docs_listening.py; with a page: tests/web/test_cordwood_js_browser.py
    if ("```yaml" not in text or ":8080" in text) and "```html" not in text
}


SENT = "service:shop or source:shop | stats count() as n"
"""What the clients send: those of Splunk have a source in place of a service."""


@pytest.mark.parametrize("settings", [text for name in PAGES for text in snippets(name, "yaml")])
def test_the_settings_of_the_page(settings: str, tmp_path: Path) -> None:
    file = tmp_path / "cordwood.yaml"
    file.write_text(settings)
    assert load_checked(file, load_plugins()).sources


def test_every_page_is_named() -> None:
    named = set(re.findall(r"\]\(sources/(\w+)\.md\)", (ROOT / "docs" / "sources.md").read_text()))
    assert named == set(PAGES) == set(load_plugins().kinds["source"])


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("name", CLIENTS)
def test_the_client_of_the_page(served: Server, name: str) -> None:
    assert CLIENTS[name], "the page has no client"
    for language, snippet in CLIENTS[name]:
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
