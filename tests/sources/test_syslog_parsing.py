"""Syslog messages as programs and devices write them, and what they become; framing as RFC 6587 has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cordwood.plugins.syslog import NO_DATA, NO_HEADER, NO_PRIORITY, NO_TIME
from cordwood.sources.syslog.framing import CUT_OFF, Frames, Framing
from cordwood.sources.syslog.parsing import read_frames
from hypothesis import given, settings
from hypothesis import strategies as st

SEEN = datetime(2026, 1, 5, 12, tzinfo=UTC)
SEEN_NS = int(SEEN.timestamp()) * 10**9
UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NOTICE = {"severity": "INFO2", "severity_text": "notice", "syslog.facility": "user"}
LOCAL7 = {"severity": "INFO2", "severity_text": "notice", "syslog.facility": "local7", "syslog.msgid": "SYS-5-CONFIG_I",
          "message": "%SYS-5-CONFIG_I: Configured", "timestamp": "2025-03-01T18:48:50.483000000Z"}  # fmt: skip
ARRIVAL = "2026-01-05T12:00:00.000000000Z"


def events(*messages: bytes, zone: ZoneInfo = UTC_ZONE, most: int = 10_000) -> list[dict[str, Any]]:
    batch = read_frames([Frames(list(messages), "10.0.0.9")], SEEN_NS, zone, most)
    found = batch.events()
    for event in found:
        assert event.pop("observed_timestamp") == ARRIVAL
    return found


OLD = {
    "plain": (
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
        {"timestamp": "2025-10-11T22:14:15.000000000Z", "severity": "ERROR2", "severity_text": "crit",
         "syslog.facility": "auth", "host": "mymachine", "service": "su", "message": "'su root' failed"},
    ),
    "december read in january": (
        "<13>Dec 31 23:59:59 box cron[99]: (root) CMD",
        NOTICE | {"timestamp": "2025-12-31T23:59:59.000000000Z", "host": "box", "service": "cron",
                  "syslog.procid": "99", "message": "(root) CMD"},
    ),
    "one digit, no host": (
        "<13>Jan  5 11:59:59 app[12]: x",
        NOTICE | {"timestamp": "2026-01-05T11:59:59.000000000Z", "host": "10.0.0.9", "service": "app",
                  "syslog.procid": "12", "message": "x"},
    ),
    "year": (
        "<13>Jan 31 2024 12:00:00 box app: x",
        NOTICE | {"timestamp": "2024-01-31T12:00:00.000000000Z", "host": "box", "service": "app", "message": "x"},
    ),
    "year after the time": (
        "<13>Jan 31 12:00:00 2024 box app: x",
        NOTICE | {"timestamp": "2024-01-31T12:00:00.000000000Z", "host": "box", "service": "app", "message": "x"},
    ),
    "rsyslog's iso time": (
        "<13>2026-01-31T12:00:00.123456+01:00 box app[12]: x",
        NOTICE | {"timestamp": "2026-01-31T11:00:00.123456000Z", "host": "box", "service": "app",
                  "syslog.procid": "12", "message": "x"},
    ),
    "no priority": (
        "Jan  1 12:00:00 box app: x",
        {"timestamp": "2026-01-01T12:00:00.000000000Z", "host": "box", "service": "app", "message": "x"},
    ),
    "ipv6 host, no tag": (
        "<13>Jan  1 12:00:00 fe80::1 the message",
        NOTICE | {"timestamp": "2026-01-01T12:00:00.000000000Z", "host": "fe80::1", "message": "the message"},
    ),
    "cisco ios": ("<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured", LOCAL7 | {"host": "10.0.0.9"}),
    "cisco ios with host": (
        "<189>29: sw1: .Mar  1 18:48:50.483: %SYS-5-CONFIG_I: Configured", LOCAL7 | {"host": "sw1"},
    ),
    "cisco asa": (
        "<189>Mar 01 2025 18:48:50.483 fw1 : %SYS-5-CONFIG_I: Configured", LOCAL7 | {"host": "fw1"},
    ),
    "no time": (
        "<13>shop: sold",
        NOTICE | {"timestamp": ARRIVAL, "host": "10.0.0.9", "service": "shop", "message": "sold"},
    ),
    "message alone": ("<13>sold out", NOTICE | {"timestamp": ARRIVAL, "host": "10.0.0.9", "message": "sold out"}),
    "lines": (
        "<13>Jan  1 12:00:00 box app: a\n  b",
        NOTICE | {"timestamp": "2026-01-01T12:00:00.000000000Z", "host": "box", "service": "app", "message": "a\n  b"},
    ),
    "no header": ("what\x01is this", {"timestamp": ARRIVAL, "host": "10.0.0.9", "message": "what\x01is this",
                                      "parse_error": NO_HEADER}),
    "priority": (
        "<999>Jan  1 12:00:00 box app: x",
        {"timestamp": "2026-01-01T12:00:00.000000000Z", "host": "box", "service": "app", "message": "x",
         "parse_error": NO_PRIORITY},
    ),
    "no such day": (
        "<13>Feb 30 12:00:00 box app: x",
        NOTICE | {"timestamp": ARRIVAL, "host": "box", "service": "app", "message": "x", "parse_error": NO_TIME},
    ),
}  # fmt: skip
HEAD = "<165>1 2003-10-11T22:14:15.003Z host.example app 8710 ID47"
BODY = {"timestamp": "2003-10-11T22:14:15.003000000Z", "severity": "INFO2", "severity_text": "notice",
        "syslog.facility": "local4", "host": "host.example", "service": "app", "syslog.procid": "8710",
        "syslog.msgid": "ID47"}  # fmt: skip
NEW = {
    "no data": (f"{HEAD} - text", BODY | {"message": "text"}),
    "byte order mark": (f"{HEAD} - \ufeffgrün", BODY | {"message": "grün"}),
    "no message": (f"{HEAD} -", BODY | {"message": ""}),
    "nil": (
        "<165>1 - - - - - - x",
        {"timestamp": ARRIVAL, "severity": "INFO2", "severity_text": "notice", "syslog.facility": "local4",
         "host": "10.0.0.9", "message": "x"},
    ),
    "data": (
        HEAD + r' [a@1 x="1" y="q\"b\]s\\e"][b z="=] ["] text [c d="e"]',
        BODY | {"a@1.x": "1", "a@1.y": 'q"b]s\\e', "b.z": "=] [", "message": 'text [c d="e"]'},
    ),
    "data without parameters": (f"{HEAD} [a@1] text", BODY | {"message": "text"}),
    "data alone": (f'{HEAD} [a x="1"]', BODY | {"a.x": "1", "message": ""}),
    "name twice": (f'{HEAD} [a x="1" x="2"]', BODY | {"a.x": "2", "message": ""}),
    "wrong data": (f'{HEAD} [a x="1" text', BODY | {"message": '[a x="1" text', "parse_error": NO_DATA}),
    "wrong time": (
        "<165>1 2003-13-11T22:14:15.003Z h - - - - x",
        {"timestamp": ARRIVAL, "severity": "INFO2", "severity_text": "notice", "syslog.facility": "local4",
         "host": "h", "message": "x", "parse_error": NO_TIME},
    ),
}  # fmt: skip
CASES = OLD | NEW


@pytest.mark.parametrize("case", CASES)
def test_a_message(case: str) -> None:
    message, event = CASES[case]
    assert events(message.encode()) == [event]


def test_messages_of_all_forms_in_one_batch_are_as_alone() -> None:
    assert events(*(message.encode() for message, _ in CASES.values())) == [event for _, event in CASES.values()]


def test_times_without_a_zone_are_of_the_configured_one() -> None:
    found = events(b"<13>Jan  5 12:30:00 box a: x", b"<13>2026-01-05T12:30:00 box a: x", zone=BERLIN)
    assert [event["timestamp"] for event in found] == ["2026-01-05T11:30:00.000000000Z"] * 2


def test_a_cut_header_keeps_the_message() -> None:
    (event,) = events(b"<34>1 2003-10-11T22:14:15.003Z host")
    assert (event["message"], event["severity"]) == ("<34>1 2003-10-11T22:14:15.003Z host", "ERROR2")
    assert "header" in event["parse_error"]


def test_long_messages_are_cut_and_marked() -> None:
    long, short = events(b"<13>Jan  1 12:00:00 box app: " + "ä".encode() * 600, b"<13>x", most=1000)
    assert long["message"] == "ä" * 485
    assert "1000 bytes" in long["parse_error"]
    assert "parse_error" not in short


def test_very_many_names_share_a_column() -> None:
    messages = [f'{HEAD} [a p{i}="{i}" same="x"] m'.encode() for i in range(1000)]
    batch = read_frames([Frames(messages)], SEEN_NS, ZoneInfo("UTC"), 10_000)
    assert len(batch.frame.columns) < 300
    found = batch.events()
    assert all(event["a.same"] == "x" for event in found)
    assert all((event.get("overflow") or event)[f"a.p{i}"] == str(i) for i, event in enumerate(found))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_nonsense_is_kept(parts: list[bytes]) -> None:
    found = events(*parts)
    kept = [part for part in parts if part.decode("utf-8", "backslashreplace").rstrip("\r\n\0")]
    assert len(found) == len(kept)


def framed(stream: bytes, step: int, most: int = 1000) -> list[str]:
    framing = Framing("p", most)
    pieces = [piece for at in range(0, len(stream), step) for piece in framing.feed(stream[at : at + step])]
    return read_frames(pieces + framing.end(), SEEN_NS, ZoneInfo("UTC"), most).frame["message"].to_list()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.text("ab<1 5>\n", min_size=1, max_size=30)), min_size=1, max_size=12),
    st.integers(1, 50),
)
def test_both_framings_alternate(messages: list[tuple[bool, str]], step: int) -> None:
    stream, expected = b"", []
    for counted, text in messages:
        text = f"<13>{text if counted else text.replace(chr(10), ' ')}".rstrip("\n ")
        stream += f"{len(text)} {text}".encode() if counted else f"{text}\n".encode()
        expected.append(text)
    alone = [
        read_frames([Frames([text.encode()])], SEEN_NS, ZoneInfo("UTC"), 1000).frame["message"][0] for text in expected
    ]
    assert framed(stream, step) == alone


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("shape", ["lines", "counted", "nul"])
def test_too_long_frames_end_where_they_end(shape: str, step: int) -> None:
    texts = [b"<13>before", b"<13>" + b"x" * 3000, b"<13>after"]
    stream = {
        "lines": b"".join(text + b"\r\n" for text in texts),
        "nul": b"".join(text + b"\0" for text in texts),
        "counted": b"".join(b"%d %b" % (len(text), text) for text in texts),
    }[shape]
    assert framed(stream, step) == ["before", "x" * 996, "after"]


def test_what_is_left_at_the_end() -> None:
    framing = Framing("p", 1000)
    assert framing.feed(b"20 <13>cut") == []
    assert framing.unfinished
    assert framing.end() == [Frames([b"<13>cut"], "p", CUT_OFF)]
    assert Framing("p", 1000).end() == []
    assert framed(b"<13>last line", 5) == ["last line"]
    assert framed(b"2026-01-01T00:00:00Z box app: digits first\n", 3) == ["digits first"]
