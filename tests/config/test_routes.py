"""Who is told of an incident: the tree, the hours, the rota, and what `cordwood check` says of mistakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cordwood.config import Config, ConfigErrors, Incident, Rota, Told, load_text
from cordwood.config.routes import MAX_DEPTH, Hours
from cordwood.plugins import load_plugins
from hypothesis import given
from hypothesis import strategies as st

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
BASE = """
notifiers:
  anna: {type: ntfy, topic: anna-topic}
  ben: {type: ntfy, topic: ben-topic}
  chat: {type: ntfy, topic: chat-topic}
rotas:
  platform: {people: [anna, ben], start: 2026-01-05, timezone: Europe/Berlin}
detectors:
  errors: {type: match, query: "panic", window: 1m, every: 5s, notify: [chat]}
  other: {type: match, query: "panic", window: 1m, every: 5s}
"""


def loaded(routes: str) -> Config:
    return load_text(f"{BASE}routes:\n{routes}", load_plugins())


def told(config: Config, *, at: datetime = MONDAY, severity: str = "ERROR", **group: Any) -> list[Told]:
    return config.routing.told(Incident("errors", severity, group, at), ["chat"])


def names(config: Config, **incident: Any) -> list[str]:
    return [one.notifier for one in told(config, **incident)]


TREE = """
  pay:
    match: {service: [pay, checkout]}
    notify: [anna]
    routes:
      bad: {severity: fatal, notify: [ben]}
  codes: {match: {status: [402], ok: [true]}, notify: [ben], continue: true}
  mine: {detectors: [other], notify: [anna]}
  rest: {notify: [platform]}
"""


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        ({"service": "pay"}, ["chat", "anna"]),
        ({"service": "checkout", "severity": "FATAL2"}, ["chat", "ben"]),
        ({"service": "shop", "status": 402, "ok": True}, ["chat", "ben", "anna"]),
        ({"service": "shop", "status": 402, "ok": False}, ["chat", "anna"]),
        ({"service": "shop", "at": MONDAY + timedelta(days=7)}, ["chat", "ben"]),
        ({}, ["chat", "anna"]),
    ],
    ids=["first match", "below decides", "continue", "all must fit", "next turn", "the last takes all"],
)
def test_the_tree(incident: dict[str, Any], expected: list[str]) -> None:
    assert names(loaded(TREE), **incident) == expected


def test_why_and_when() -> None:
    config = loaded("""
  all:
    notify: [anna]
    wait: 30s
    escalate: [{after: 15m, notify: [platform]}, {after: 1h, notify: [ben, platform]}]
""")
    assert told(config) == [
        Told("chat", timedelta(), False, "the detector names it"),
        Told("anna", timedelta(seconds=30), False, "route all"),
        Told("anna", timedelta(minutes=15), True, "route all, on call in platform"),
        Told("ben", timedelta(hours=1), True, "route all"),
    ]
    # Who is on call is asked for the moment of the escalation: the turn ends between them.
    late = told(config, at=datetime(2026, 1, 12, 7, 50, tzinfo=UTC))
    assert [one.notifier for one in late if one.escalation] == ["ben"]


@pytest.mark.parametrize(
    ("hours", "at", "holds"),
    [
        ({"from": "08:00", "to": "18:00"}, "2026-01-05T07:59Z", False),
        ({"from": "08:00", "to": "18:00"}, "2026-01-05T08:00Z", True),
        ({"from": "08:00", "to": "18:00"}, "2026-01-05T18:00Z", False),
        ({"from": "22:00", "to": "06:00", "days": ["fri"]}, "2026-01-10T05:59Z", True),
        ({"from": "22:00", "to": "06:00", "days": ["fri"]}, "2026-01-09T05:59Z", False),
        ({"days": ["sat", "sun"]}, "2026-01-10T00:00Z", True),
        ({"days": ["sat"], "timezone": "America/New_York"}, "2026-01-10T04:59Z", False),
        ({"from": "08:00", "to": "09:00", "timezone": "Europe/Berlin"}, "2026-03-28T07:30Z", True),
        ({"from": "08:00", "to": "09:00", "timezone": "Europe/Berlin"}, "2026-03-29T06:30Z", True),
    ],
)
def test_hours(hours: dict[str, Any], at: str, holds: bool) -> None:
    assert Hours(**hours).holds(datetime.fromisoformat(at)) is holds


@given(
    minutes=st.integers(-500_000, 1_000_000),
    days=st.integers(1, 30),
    people=st.integers(1, 7),
)
def test_a_turn_goes_to_the_next_one_at_the_handover_only(minutes: int, days: int, people: int) -> None:
    at = MONDAY + timedelta(minutes=minutes)
    rota = Rota(people=[str(i) for i in range(people)], start=MONDAY.date(), days=days, timezone="Europe/Berlin")
    before, after = rota.on_call(at), rota.on_call(at + timedelta(minutes=1))
    assert int(after) in (int(before), (int(before) + 1) % people)
    if before != after:
        local = (at + timedelta(minutes=1)).astimezone(ZoneInfo(rota.timezone))
        assert f"{local:%H:%M}" == "09:00"


@pytest.mark.parametrize(
    ("before", "after"),
    [("2026-03-29T06:59Z", "2026-03-29T07:00Z"), ("2026-10-25T07:59Z", "2026-10-25T08:00Z")],
    ids=["23 hours", "25 hours"],
)
def test_the_handover_follows_the_clock_on_the_wall(before: str, after: str) -> None:
    rota = Rota(people=["a", "b"], start=datetime(2026, 3, 1, tzinfo=UTC).date(), days=1, timezone="Europe/Berlin")
    assert rota.on_call(datetime.fromisoformat(before)) != rota.on_call(datetime.fromisoformat(after))


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ("  a: {notify: [nobody]}", "routes.a.notify: there is no notifier named nobody"),
        ("  a: {escalate: [{after: 1m, notify: [anne]}]}", "routes.a.escalate[0].notify: there is no notifier"),
        ("  a: {detectors: [error]}", "routes.a.detectors: there is no detector named error"),
        ("  a: {notify: [anna]}\n  b: {match: {service: pay}}", "routes.b: nothing reaches this route: a"),
        (
            "  a: {match: {service: [pay, x]}}\n  b: {match: {service: pay, host: y}, severity: fatal}",
            "routes.b: nothing reaches this route: a",
        ),
        (
            "  a:\n    routes:\n      c: {severity: warn}\n      d: {severity: error}",
            "routes.a.routes.d: nothing reaches this route: c",
        ),
        ("  a: {wait: 13h}", "at most 12h"),
        ("  a: {hours: {days: [someday]}}", "routes.a.hours.days"),
        ("  a: {hours: {from: '25:00'}}", "routes.a.hours.from"),
        ("  a: {hours: {timezone: Europe/Bonn}}", "no time zone"),
        ("  a: {notyfy: [anna]}", "notyfy"),
    ],
)
def test_mistakes_are_found(routes: str, message: str) -> None:
    with pytest.raises(ConfigErrors, match=r"cordwood\.yaml:") as caught:
        loaded(routes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "routes",
    [
        "  a: {notify: [anna], continue: true}\n  b: {match: {service: pay}}",
        "  a: {match: {service: pay}}\n  b: {match: {service: [pay, x]}}",
        "  a: {match: {service: pay}}\n  b: {match: {host: pay}}",
        "  a: {severity: error}\n  b: {severity: warn}",
        "  a: {hours: {days: [sat]}}\n  b: {hours: {days: [sun]}}",
    ],
)
def test_routes_that_can_be_reached(routes: str) -> None:
    assert len(loaded(routes).routing.routes) == 2


def test_a_rota_needs_people_who_are_notifiers() -> None:
    text = BASE.replace("[anna, ben]", "[anna, platform]").replace("  platform:", "  chat:")
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, load_plugins())
    assert "rotas.chat: there is a notifier of this name already" in str(caught.value)
    assert "rotas.chat.people: there is no notifier named platform" in str(caught.value)


def test_a_tree_that_is_too_deep() -> None:
    text = "{notify: [anna]}"
    for _ in range(MAX_DEPTH):
        text = f"{{routes: {{a: {text}}}}}"
    with pytest.raises(ConfigErrors, match="5 deep"):
        loaded(f"  a: {text}")


MAINTENANCE = "maintenance:\n  nightly: {schedule: %r, duration: %s, detectors: [%s]}\n"
DETECTORS = """
detectors:
  errors: {type: match, query: "error", depends_on: [%s]}
  database: {type: match, query: "database", depends_on: [%s]}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DETECTORS % ("", "") + MAINTENANCE % ("0 2 * * *", "8d", "errors"), "duration: must be more than nothing"),
        (DETECTORS % ("", "") + MAINTENANCE % ("0 2 * *", "1h", "errors"), "is no schedule"),
        (DETECTORS % ("", "") + MAINTENANCE % ("0 2 * * *", "1h", "nobody"), "nobody"),
        (DETECTORS % ("databse", ""), "databse"),
        (DETECTORS % ("database", "errors"), "errors → database → errors"),
    ],
    ids=["too long", "no schedule", "no such detector", "depends on nothing", "a ring"],
)
def test_what_would_silence_wrongly(text: str, said: str) -> None:
    with pytest.raises(ConfigErrors, match=said):
        load_text(text, load_plugins())


def test_a_window_and_a_dependency_that_are_right() -> None:
    config = load_text(DETECTORS % ("database", "") + MAINTENANCE % ("0 2 * * *", "1h", "errors"), load_plugins())
    assert config.maintenance["nightly"].detectors == ["errors"]
    assert config.detectors["errors"].make().config.depends_on == ["database"]
