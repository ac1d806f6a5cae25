"""Pipeline files that pages show whole: each is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cordwood.config import load_text
from cordwood.plugins import load_plugins

ROOT = Path(__file__).parents[2]
SHOWN = [
    pytest.param(text, id=f"{page.name} {number}")
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(version: 1\n.*?)```", page.read_text(), re.DOTALL), 1)
    if "aws-secret:" not in text  # it would be asked for
    and "type: geoip" not in text  # its database would be read; tests/parsers/test_docs.py has one
]


def test_there_are_some() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize("text", SHOWN)
def test_it_is_right(text: str) -> None:
    load_text(text, load_plugins())
