"""What is installed is what requirements*.txt pin, held by the hashes in requirements*.lock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from .conftest import ROOT

PINS = [*sorted(ROOT.glob("requirements*.txt")), ROOT / "infra/aws/requirements.txt"]
_PIN = re.compile(r"^([\w.-]+)==([^\s;]+)(.*)", re.MULTILINE)


def pinned(file: Path) -> dict[str, str]:
    """Version by name, those of the files that it names included."""
    text = file.read_text()
    found = {canonicalize_name(name): version for name, version, _ in _PIN.findall(text)}
    for other in re.findall(r"^-r (\S+)", text, re.MULTILINE):
        found |= pinned((file.parent / other).resolve())
    return found


@pytest.mark.parametrize("pins", PINS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_lock_is_fresh_and_whole(pins: Path) -> None:
    text = pins.with_suffix(".lock").read_text().replace("\\\n", " ")
    locked = _PIN.findall(text)
    assert {name: version for name, version, _ in locked} == pinned(pins), "stale: make lock"
    assert [name for name, _, rest in locked if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)] == []
    assert not re.search(r"://|index-url|find-links", text)


def test_nothing_is_installed_without_hashes() -> None:
    """In the Makefile and the image; our own package, which has no dependencies there, comes from this folder."""
    lines = [
        line
        for file in ("Makefile", "infra/docker/Dockerfile")
        for line in (ROOT / file).read_text().replace("\\\n", " ").splitlines()
        if re.search(r"pip install|^\t\$\(PIP\)|^\t\$\(LOCKED\)", line) and not line.startswith("PIP :=")
    ]
    assert len(lines) == 7
    bare = [line for line in lines if "--require-hashes" not in line and "$(LOCKED)" not in line]
    assert [line for line in bare if "--no-deps --no-build-isolation" not in line] == []
    assert "LOCKED := $(PIP) --require-hashes" in (ROOT / "Makefile").read_text()
