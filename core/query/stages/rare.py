"""`rare`: the least frequent values."""

from __future__ import annotations

from typing import ClassVar

from .top import Top


class Rare(Top, frozen=True, kw_only=True):
    """Values with their count and share, the least frequent first."""

    name = "rare"
    GRAMMAR = "rare: RARE [INTEGER] keys"
    DOC = """The N (default 10) least frequent values, with `count` and `share`.

        | rare 5 user_agent
    """
    rarest: ClassVar[bool] = True
