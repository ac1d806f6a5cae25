"""The UI's own checks: types, lint and unit tests; and that what is generated from the API is fresh."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT

UI = ROOT / "web" / "ui"


@pytest.fixture
def npm() -> dict[str, str]:
    """The environment to run npm in; Node comes from the virtual environment."""
    if not (UI / "node_modules").is_dir():
        pytest.skip("needs the UI's packages: make ui")
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("script", ["types", "lint", "test"])
def test_the_ui_holds(npm: dict[str, str], script: str) -> None:
    done = subprocess.run(["npm", "run", script], cwd=UI, env=npm, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_the_openapi_document_is_fresh() -> None:
    command = [sys.executable, "-m", "cordwood.web.openapi"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    hint = "stale: python -m cordwood.web.openapi > web/ui/openapi.json, then npm run schema in web/ui"
    assert made == (UI / "openapi.json").read_text(), hint


def test_the_types_are_made_of_the_document(npm: dict[str, str], tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    script = json.loads((UI / "package.json").read_text())["scripts"]["schema"]
    command = ["npx", "--no-install", *script.replace("src/api/schema.d.ts", str(made)).split()]
    subprocess.run(command, cwd=UI, env=npm, capture_output=True, check=True)
    assert made.read_text() == (UI / "src" / "api" / "schema.d.ts").read_text(), "stale: npm run schema in web/ui"


def test_the_first_load_is_small() -> None:
    """The scripts that Explore needs before it can be used; what is imported later is not among them."""
    assets = ROOT / "web" / "static" / "assets"
    if not assets.is_dir():
        pytest.skip("needs the built UI: make ui")
    heap = [next(assets.glob(f"{name}-*.js")).name for name in ("index", "ExplorePage", "Plot")]
    sizes: dict[str, int] = {}
    while heap:
        name = heap.pop()
        if name not in sizes:
            script = (assets / name).read_bytes()
            sizes[name] = len(gzip.compress(script, 9))
            heap += re.findall(r'(?:from|import)"\./([\w.-]+\.js)"', script.decode())
    assert sum(sizes.values()) <= 250_000, sizes


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (UI / "package-lock.json").read_text()
