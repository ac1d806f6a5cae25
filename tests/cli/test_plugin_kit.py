"""`cordwood plugins new` and `check`: what is written works at once, for every kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from cordwood.cli.new_plugin import KINDS
from cordwood.plugins.hooks import KINDS as BASES

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
MADE = [f"my_{kind}" for kind in KINDS]


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200"} | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run([*command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a new package of each kind, and `installed`, where all are installed."""
    folder = tmp_path_factory.mktemp("kit")
    for kind in KINDS:
        done = run(BIN / "cordwood", "plugins", "new", kind, f"my_{kind}", "--folder", kind, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert f"cd {kind} && pip install" in done.stderr
        assert all((folder / line).is_file() for line in done.stdout.split())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    made = run(*pip, "--no-build-isolation", "--target", "installed", *(f"./{kind}" for kind in KINDS), cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_every_kind_can_be_made() -> None:
    assert set(KINDS) == {base.kind for base in BASES}


def test_their_own_tests_pass(packages: Path) -> None:
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", "."]
    done = run(*pytest_, "--import-mode=importlib", "-W", "error", *KINDS, cwd=packages, path=packages / "installed")
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 40


def test_they_pass_the_linter_that_their_ci_calls(packages: Path) -> None:
    for arguments in (["check", "."], ["format", "--check", "."]):
        for kind in KINDS:
            done = run(BIN / "ruff", *arguments, cwd=packages / kind)
            assert done.returncode == 0, done.stdout
            workflow = yaml.safe_load((packages / kind / ".github/workflows/test.yml").read_text())
            assert any("cordwood plugins check" in step.get("run", "") for step in workflow["jobs"]["test"]["steps"])


def test_cordwood_lists_and_checks_them(packages: Path) -> None:
    listed = run(BIN / "cordwood", "plugins", "list", cwd=packages, path=packages / "installed")
    done = run(BIN / "cordwood", "plugins", "check", *MADE, cwd=packages, path=packages / "installed")
    assert done.returncode == 0, done.stdout
    for kind, name in zip(KINDS, MADE, strict=True):
        assert f"cordwood-my-{kind}" in listed.stdout
        assert f"ok    {kind} {name}" in done.stdout
    assert len(done.stdout.splitlines()) == len(KINDS)


def test_the_version_they_ask_for_is_this_one(packages: Path) -> None:
    project = tomllib.loads((packages / "parser/pyproject.toml").read_text())
    version = re.search(r'__version__ = "(.*)"', (ROOT / "__init__.py").read_text())
    assert version
    assert project["project"]["dependencies"] == [f"cordwood>={version[1]}"]


BAD = """
from cordwood.plugins import Parser, PluginConfig, hookimpl
class Config(PluginConfig):
    bare: int = 1
class Nameless(Parser[Config]):
    type = "Not-Snake"
    def parse(self, batch): return batch
@hookimpl
def cordwood_plugins(): return [Nameless]
"""


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text("raise ImportError('no such library')")
    told = tmp_path / "bad-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1\n")
    (told / "entry_points.txt").write_text("[cordwood]\nbad = bad\nbroken = broken\n")
    done = run(BIN / "cordwood", "plugins", "check", "bad", cwd=tmp_path, path=tmp_path)
    assert done.returncode == 1
    assert "fail  bad broken: ImportError: no such library" in done.stdout
    for words in ("is not snake case", "Nameless has no docstring", "settings without a description: bare"):
        assert re.search(f"^fail  parser Not-Snake: .*{words}", done.stdout, re.MULTILINE), done.stdout


def test_all_built_in_plugins_pass() -> None:
    done = run(BIN / "cordwood", "plugins", "check", "cordwood", cwd=ROOT)
    assert (done.returncode, "fail" in done.stdout) == (0, False), done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("new", "thing", "x"), 1, "there is no kind thing of plugin; there are source, parser"),
        (("new", "parser", "My-Format"), 1, "My-Format will not do as a type"),
        (("new", "parser", "../../etc"), 1, "will not do as a type"),
        (("new", "parser", "class"), 1, "class will not do as a type"),
        (("new", "parser", "a" * 41), 1, "will not do as a type"),
        (("new", "parser", "taken"), 1, "cordwood-taken is there already, and not empty"),
        (("new", "parser"), 2, "Missing argument 'TYPE'"),
        (("check", "nobody"), 1, "no plugin and no package of this name is installed: nobody"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    (tmp_path / "cordwood-taken").mkdir()
    (tmp_path / "cordwood-taken/mine").touch()
    done = run(BIN / "cordwood", "plugins", *arguments, cwd=tmp_path)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
