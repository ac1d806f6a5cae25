"""`patterns` over real logs: counts, and `pattern:` that finds what was counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.test_patterns import content, patterns_of

from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("merged", [False, True], ids=["as committed", "merged"])
async def test_counts_are_exact_and_found_again(tmp_path: Path, loghub: Path, *, merged: bool) -> None:
    messages, _ = content(loghub, "OpenSSH")
    store = Segments(tmp_path)
    for start in range(0, len(messages), 500):
        part = messages[start : start + 500]
        store.commit([{"timestamp": NOW + start + i, "message": message} for i, message in enumerate(part)])
    if merged:
        store.compact()
    expected = patterns_of(messages)
    result = await ask(store, "| patterns | fields pattern, count, example")
    counted = {pattern: count for pattern, count, _ in result.rows()}
    assert counted == {pattern: expected.count(pattern) for pattern in set(expected)}
    for pattern, count, example in result.rows():
        quoted = pattern.replace("\\", "\\\\").replace('"', '\\"')
        (found,) = (await ask(store, f'pattern:"{quoted}" | stats count() as n')).rows()
        (others,) = (await ask(store, f'pattern!="{quoted}" | stats count() as n')).rows()
        assert (found[0], others[0]) == (count, len(messages) - count), pattern
        assert expected[messages.index(example)] == pattern


async def test_no_messages_no_patterns(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.commit([{"timestamp": NOW, "took": 1}])
    assert list((await ask(store, "| patterns")).rows()) == []
    assert list((await ask(store, 'pattern:"a" | fields took')).rows()) == []
