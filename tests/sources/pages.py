"""The pages of docs/sources/, and what they show."""

from __future__ import annotations

import re

from ..conftest import ROOT

PAGES = {path.stem: path.read_text() for path in sorted((ROOT / "docs" / "sources").glob("*.md"))}


def snippets(page: str, kind: str) -> list[str]:
    """The page's blocks of a kind, in their order."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGES[page], re.DOTALL)


def snippet(page: str, kind: str) -> str:
    """The page's only block of a kind."""
    (found,) = snippets(page, kind)
    return found
