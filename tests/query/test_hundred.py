"""One hundred queries for the tasks that users of other systems have, as one writes them after reading the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from cordwood.core.query import check, parse
from cordwood.core.query.printer import query
from cordwood.core.query.tree import EVENTS

FILE = Path(__file__).with_name("hundred.txt")
QUERIES = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def test_there_are_a_hundred() -> None:
    assert len(set(QUERIES)) >= 100


@pytest.mark.parametrize("text", QUERIES)
def test_it_is_taken(text: str) -> None:
    tree = parse(text, any_head=True)
    assert parse(query(tree), any_head=True).head == tree.head
    if tree.head == EVENTS:
        assert check(text).stages == tree.stages
