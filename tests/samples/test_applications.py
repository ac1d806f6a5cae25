"""The sample applications say believable things, the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import takewhile
from random import Random
from typing import Any

import pytest
from cordwood.infra.samples.demo import PAST_S, in_order
from cordwood.infra.samples.mobile import NEW_VERSION, OFFLINE_S, Mobile
from cordwood.infra.samples.sender import timestamp
from cordwood.infra.samples.sensors import NOTICED_S, SILENT_EVERY_S, Sensors
from cordwood.infra.samples.shop import OUTAGE_EVERY_S, Shop
from cordwood.infra.samples.worker import Worker

NOW = 1_770_000_000 - 1_770_000_000 % 3600
LIVE_S = 900


def said(application: Any, start: int = NOW - PAST_S, seconds: int = PAST_S + LIVE_S) -> Iterator[dict[str, Any]]:
    for _, events in takewhile(lambda item: item[0] < start + seconds, in_order(application, start, NOW)):
        yield from events


def applications() -> list[Any]:
    shop = Shop(Random(1), opened=NOW, outages=[(NOW - 2000, NOW - 1820)])
    return [shop, Worker(Random(2)), Sensors(Random(3)), Mobile(Random(4))]


@pytest.mark.parametrize("which", [0, 1, 2, 3], ids=["shop", "worker", "sensors", "mobile"])
def test_events_are_in_order_complete_and_repeatable(which: int) -> None:
    events = list(said(applications()[which]))
    assert events == list(said(applications()[which]))
    times = [event["timestamp"] for event in events if not event.get("offline")]
    assert times == sorted(times)
    for event in events:
        assert event["severity"] in {"DEBUG", "INFO", "WARN", "ERROR"}
        assert event["service"]
        assert event["host"]
        assert event["message"]
        json.dumps(event)


def test_rate_and_severities_are_believable() -> None:
    past = [event for application in applications() for event in said(application, seconds=PAST_S)]
    live = [event for application in applications() for event in said(application, NOW, LIVE_S)]
    assert 5_000 < len(past) < 20_000
    assert 30 < len(live) / LIVE_S < 60
    severities = Counter(event["severity"] for event in live)
    assert severities["INFO"] > 10 * severities["WARN"] > 0
    assert severities["INFO"] > 10 * severities["ERROR"] > 0


def test_a_checkout_shares_its_trace_over_four_services() -> None:
    services: dict[str, set[str]] = defaultdict(set)
    for event in said(Shop(Random(1)), NOW, 60):
        services[event["trace_id"]].add(event["service"])
    assert {"web", "checkout", "payment", "inventory"} in services.values()


def test_an_outage_is_a_burst_of_errors_with_stack_traces() -> None:
    events = said(Shop(Random(1), opened=NOW), NOW, OUTAGE_EVERY_S)
    errors = [e for e in events if (e["service"], e["severity"]) == ("payment", "ERROR")]
    assert len(errors) > 20
    assert all("Traceback" in event["message"] and "\n" in event["message"] for event in errors)


def test_one_sensor_falls_silent_and_is_noticed() -> None:
    start = NOW - NOW % SILENT_EVERY_S
    events = list(said(Sensors(Random(3)), start, NOTICED_S + 2))
    (warning,) = [e for e in events if e["service"] == "mqtt-gateway"]
    assert not [e for e in events if e["service"] == "sensors" and e["sensor.id"] == warning["sensor.id"]]


def test_phones_that_were_offline_tell_later_what_happened() -> None:
    late = [
        (second, event)
        for second, events in takewhile(lambda item: item[0] < NOW + LIVE_S, in_order(Mobile(Random(4)), NOW, NOW))
        for event in events
        if event.get("offline")
    ]
    assert len(late) > 10
    assert all(event["timestamp"] < timestamp(second) for second, event in late)
    sessions = {event["session.id"]: second for second, event in late}
    assert all(sessions[event["session.id"]] == second for second, event in late), "all of a phone's come at once"
    assert all(event["timestamp"] > timestamp(second - OFFLINE_S[1] - 1) for second, event in late)


def test_one_version_crashes_where_somebody_pays_by_an_android_phone() -> None:
    events = list(said(Mobile(Random(4)), NOW, 4 * PAST_S))
    crashes = [event for event in events if event["severity"] == "ERROR"]
    assert len(crashes) > 5
    assert {(one["service.version"], one["os.name"], one["screen.name"]) for one in crashes} == {
        (NEW_VERSION, "android", "checkout")
    }
    ended = {one["session.id"] for one in crashes}
    assert not [one for one in events if one["session.id"] in ended and "background" in one["message"]]
