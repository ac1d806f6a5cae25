"""The house rules that a machine can hold: packages, import directions, module sizes, required dependencies."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from cordwood.plugins import load_plugins

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = [
    "cli",
    "client",
    "config",
    "core",
    "detectors",
    "infra",
    "notifiers",
    "outputs",
    "parsers",
    "plugins",
    "sources",
    "web",
]
CHOSEN = [
    "pluggy",
    "pydantic",
    "lark",
    "anyio",
    "asyncpg",
    "litestar",
    "msgspec",
    "scikit-learn",
    "jinja2",
    "slack-sdk",
    "twilio",
]
MAX_LINES = 600


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def test_every_package_is_listed() -> None:
    found = {"cordwood"} | {
        ".".join(["cordwood", *path.parent.relative_to(ROOT).parts])
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if "node_modules" not in path.parts
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_python_file_is_in_a_package() -> None:
    lost = [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts and not (path.parent / "__init__.py").exists()
    ]
    assert not lost


def test_the_wheel_holds_every_module(tmp_path: Path) -> None:
    source, built = tmp_path / "source", tmp_path / "built"
    for path in tracked():  # a build writes beside its sources, which other tests are using
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", built, source]
    subprocess.run(pip, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"cordwood/{path.relative_to(ROOT)}" for path in tracked(*(f"{room}/*.py" for room in ROOMS))}
    assert wanted <= held
    assert {
        "cordwood/py.typed",
        "cordwood/core/query/grammar.lark",
        "cordwood/core/query/cordwood.tmLanguage.json",
        "cordwood/core/storage/migrations/env.py",
    } <= held
    assert {f"cordwood/{path.relative_to(ROOT)}" for path in tracked("cli/kit/*.txt")} <= held
    assert not [name for name in held if name.startswith(("tests/", "cordwood/tests/"))]


def test_imports_go_downwards() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_module_is_too_long() -> None:
    sources = [path for path in tracked("*.py", "*.ts", "*.tsx") if "schema.d" not in path.name]
    assert [str(path) for path in sources if len(path.read_text().splitlines()) > MAX_LINES] == []


@pytest.mark.parametrize("package", CHOSEN)
def test_the_chosen_packages_are_dependencies(package: str) -> None:
    assert any(line.startswith(package) for line in PROJECT["project"]["dependencies"])


def test_every_built_in_plugin_loads() -> None:
    registry = load_plugins()
    assert [failure for failure in registry.failures if failure.package == "cordwood"] == []
    declared = set(PROJECT["project"]["entry-points"]["cordwood"].values())  # a name: syslog is a source and a parser
    loaded = {
        found.cls.__module__
        for kinds in registry.kinds.values()
        for found in kinds.values()
        if found.package == "cordwood"
    }
    assert declared == loaded


def test_nothing_starts_a_task_outside_a_group() -> None:
    offenders = [
        str(path)
        for path in tracked(*(f"{room}/*.py" for room in ROOMS))
        if "create_task(" in path.read_text().replace("create_task_group(", "")
    ]
    assert offenders == []
