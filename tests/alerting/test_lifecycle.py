"""The states of incidents against a model: whatever is found when, a key is open once and told of once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cordwood.core.alerting.lifecycle import MAX_OPEN, Known, Step, changes, dedup_key
from cordwood.plugins import Finding
from hypothesis import given
from hypothesis import strategies as st

WINDOW = 100


def found(*groups: str) -> dict[str, Finding]:
    return {group: Finding({"g": group}, group, {}, "*") for group in groups}


def known(key: str = "a", *, is_open: bool = True, from_ns: int = 0, to_ns: int = 100, by_hand: bool = False) -> Known:
    return Known(1, key, is_open, from_ns, to_ns, by_hand)


@pytest.mark.parametrize(
    ("step", "groups", "items", "opens", "resolves"),
    [
        pytest.param(Step(100, WINDOW), "a", [], 1, 0, id="a new group opens"),
        pytest.param(Step(110, WINDOW), "a", [known()], 0, 0, id="an open group lives on"),
        pytest.param(Step(199, WINDOW), "", [known()], 0, 0, id="well for less than resolve_after stays open"),
        pytest.param(Step(200, WINDOW), "", [known()], 0, 1, id="well for resolve_after is resolved"),
        pytest.param(Step(500, WINDOW, late=True), "", [known()], 0, 0, id="a late window resolves nothing"),
        pytest.param(Step(150, WINDOW, late=True), "a", [known(is_open=False)], 0, 0, id="late trouble that was told"),
        pytest.param(Step(150, WINDOW, late=True), "b", [known(is_open=False)], 1, 0, id="late trouble of another"),
        pytest.param(
            Step(300, WINDOW, late=True), "a", [known(is_open=False)], 1, 0, id="late trouble of another time"
        ),
        pytest.param(Step(150, WINDOW), "a", [known(is_open=False)], 1, 0, id="trouble again after it was resolved"),
        pytest.param(
            Step(150, WINDOW), "a", [known(is_open=False, by_hand=True)], 0, 0, id="resolved by hand stays resolved"
        ),
        pytest.param(
            Step(200, WINDOW), "a", [known(is_open=False, by_hand=True)], 1, 0, id="new trouble after the hand opens"
        ),
    ],
)
def test_transitions(step: Step, groups: str, items: list[Known], opens: int, resolves: int) -> None:
    outcome = changes(step, found(*groups), items, WINDOW)
    assert (len(outcome.opens), len(outcome.resolves)) == (opens, resolves)


def test_there_is_a_limit_of_open_incidents() -> None:
    groups = found(*(str(i) for i in range(MAX_OPEN + 20)))
    outcome = changes(Step(100, WINDOW), groups, [replace(known("x"), id=2)], WINDOW)
    assert len(outcome.opens) == MAX_OPEN - 1
    assert outcome.skipped == 21


def test_keys_tell_types_and_detectors_apart() -> None:
    keys = {
        dedup_key(name, group)
        for name in ("a", "b")
        for group in ({}, {"x": 1}, {"x": "1"}, {"x": None}, {"x": True}, {"y": 1})
    }
    assert len(keys) == 12


actions = st.lists(
    st.tuples(
        st.integers(1, 250),  # time since the step before
        st.frozensets(st.sampled_from("abc")),  # groups in trouble
        st.sampled_from(["now", "now", "now", "late"]),
        st.frozensets(st.sampled_from("abc"), max_size=1),  # resolved by a person afterwards
    ),
    max_size=40,
)


@given(actions, st.integers(0, 300))
def test_model(steps: list[tuple[int, frozenset[str], str, frozenset[str]]], resolve_after: int) -> None:
    """Never two open of a key; found means open (or resolved by hand); gone for long means resolved; each told once."""
    incidents: list[Known] = []
    told: list[tuple[int, str]] = []
    now = 0
    for passed, groups, kind, by_hand in steps:
        now += passed
        step = Step(now, WINDOW) if kind == "now" else Step(max(1, now - 120), WINDOW, late=True)
        outcome = changes(step, found(*groups), incidents, resolve_after)
        seen, gone = {id_ for id_, _ in outcome.seen}, set(outcome.resolves)
        assert not seen & gone
        incidents = [
            replace(item, to_ns=max(item.to_ns, step.at_ns))
            if item.id in seen
            else replace(item, is_open=False)
            if item.id in gone
            else item
            for item in incidents
        ]
        told += [(id_, "resolved") for id_ in outcome.resolves]
        for key, _ in outcome.opens:
            incidents.append(Known(len(incidents), key, True, step.from_ns, step.at_ns))
            told.append((incidents[-1].id, "opened"))
        still_open = [item.key for item in incidents if item.is_open]
        assert len(still_open) == len(set(still_open))
        for key in groups:
            covered = any(
                item.key == key
                and (
                    item.is_open
                    or ((item.by_hand or step.late) and item.from_ns < step.at_ns and step.from_ns < item.to_ns)
                )
                for item in incidents
            )
            assert covered, f"{key} is in trouble and nobody knows"
        if kind == "now":
            assert not [i for i in incidents if i.is_open and i.key not in groups and now - i.to_ns >= resolve_after]
        for item in [item for item in incidents if item.is_open and item.key in by_hand]:
            incidents[item.id] = replace(item, is_open=False, by_hand=True, to_ns=now)
            told.append((item.id, "resolved"))
    assert len(told) == len(set(told))
    for item in incidents:
        events = [event for id_, event in told if id_ == item.id]
        assert events == (["opened"] if item.is_open else ["opened", "resolved"])
