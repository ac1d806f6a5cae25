"""Syslog messages to events, by expressions over whole batches. Sources: RFC 5424, RFC 3164, Cisco's "System Message
Logging"; what rsyslog, syslog-ng, glibc and devices write in their place.

It is shared by the source, which takes messages from the network, and by the parser, which finds them in files.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import polars as pl

from .layout import Layout
from .severity import SYSLOG, SYSLOG_NUMBERS
from .structured_data import parameters
from .times import parse_times

FACILITIES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
              "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
              "local7")  # fmt: skip

# Classes of ASCII: those of Unicode, such as \d, make patterns with counts too large to compile.
_IS_NEW = r"^<[0-9]{1,3}>[1-9][0-9]{0,2} (?:-|[0-9]{4}-[0-9][0-9])"
_NEW = r"(?s)^<([0-9]{1,3})>[0-9]{1,3} ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ?(.*)$"
_NEW_PARTS = ("pri", "time", "host", "app", "procid", "msgid", "rest")
_DATA = r'(?s)^(-|(?:\[[^ =\]"]+(?: +[^ =\]"]+="(?:[^"\\]|\\.)*")* ?\])+)(?: (.*))?$'

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_NAMED = (
    rf"({_MONTH}) +([0-9]{{1,2}}) (?:([0-9]{{4}}) )?({_CLOCK})(?:[.,]([0-9]{{1,9}}))?"
    r"(?: ([0-9]{4}))?(?: ([A-Z]{3,5}))?"
)
_ISO = rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_CLOCK}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)"
_OLD = (
    r"(?s)^(?:<([0-9]{1,3})>)?(?:[0-9]{1,10}: )?"  # a Cisco may number its messages
    r"(?:([A-Za-z0-9_.-]{1,255}): )??"  # and name itself
    rf"[*.]?(?:{_NAMED}|{_ISO})(?: ?:)? (.*)$"  # and mark a clock that is not set
)
_OLD_PARTS = ("pri", "sender", "month", "day", "year", "clock", "fraction", "late_year", "zone", "time", "rest")
_TAG = r"([^ \t\n:\[\]]{1,128})(?:\[([^ \t\n\]]{1,128})\])?:(?: |$)"
_HEAD = rf"(?s)^ *(?:([^ \t\n\[\]]*[^ \t\n:\[\]]) +(?:: +)?)?(?:{_TAG})?(.*)$"
_PLAIN = r"(?s)^<([0-9]{1,3})>(?:([A-Za-z0-9_./-]{1,64})(?:\[([A-Za-z0-9_.-]{1,64})\])?: )?(.*)$"
_WITHOUT_YEAR, _WITH_YEAR = Layout.of("%b %d %H:%M:%S.%f"), Layout.of("%b %d %Y %H:%M:%S.%f")

NO_HEADER = "syslog: neither a priority nor a time stands at its beginning"
NO_PRIORITY = "syslog: a priority is a number from 0 to 191"
NO_DATA = "syslog: after the header stands no structured data; write - for none"
NO_TIME = "syslog: the time is none, so the time of arrival stands"


def syslog_events(frame: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """The columns of the events of messages, each by the first of the forms that it has.

    `frame` has a message in each row: `text`, `seen` (when it arrived, Datetime(ns) UTC), `peer` (the host if the
    message names none) and `flaw` (null, or what is wrong already). Times without an offset are in `zone`. `timestamp`
    is null where there is none, `parse_error` is the flaw; columns that are not standard are attributes.
    """
    new = frame["text"].str.contains(_IS_NEW)
    if new.all():
        return _event(_new(frame, zone))
    if not new.any():
        return _event(_old(frame, zone))
    row = pl.Series("row", range(frame.height), dtype=pl.UInt32)
    frame = frame.with_columns(row)
    both = pl.concat([_new(frame.filter(new), zone), _old(frame.filter(~new), zone)], how="diagonal")
    return _event(both.sort("row").drop("row"))


def _groups(text: pl.Series, pattern: str, names: Sequence[str]) -> pl.DataFrame:
    """The groups of a pattern as columns."""
    groups = text.str.extract_groups(pattern).struct.unnest()
    groups.columns = list(names)
    return groups


def _new(frame: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """RFC 5424."""
    parts = _groups(frame["text"], _NEW, _NEW_PARTS)
    header = parts.select(pl.when(pl.col(name) != "-").then(name) for name in _NEW_PARTS[1:6])
    found = frame.drop("text").with_columns(parts["pri"], *header, message=parts["rest"])
    times = parse_times(found["time"], zone)
    found = found.with_columns(
        timestamp=times, flaw=_flawed(found, times.is_null() & found["time"].is_not_null(), NO_TIME)
    )
    broken = parts["pri"].is_null()
    found = found.with_columns(message=found["message"].zip_with(~broken, frame["text"]))
    if broken.any():
        pri = frame["text"].str.extract(r"^<(\d{1,3})>")
        found = found.with_columns(
            pri=pri, flaw=_flawed(found, broken, "syslog: the RFC 5424 header is cut off or wrong")
        )
    return _with_data(found, parts["rest"], broken).drop("time")


def _with_data(found: pl.DataFrame, rest: pl.Series, broken: pl.Series) -> pl.DataFrame:
    """The message after the structured data, and the data's parameters as columns."""
    without = rest.str.starts_with("- ").fill_null(value=False)
    if without.all():
        return found.with_columns(message=rest.str.slice(2).str.strip_prefix("\ufeff"))
    parts = _groups(rest, _DATA, ("data", "message"))
    wrong = parts["data"].is_null() & ~broken & (rest != "")
    text = parts["message"].fill_null("").str.strip_prefix("\ufeff")
    found = found.with_columns(
        message=text.zip_with(parts["data"].is_not_null(), found["message"]), flaw=_flawed(found, wrong, NO_DATA)
    )
    return found.hstack(parameters(parts["data"]))


def _old(frame: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """RFC 3164 and its dialects; what has no time, and what has nothing at all."""
    text = frame["text"]
    parts = _groups(text, _OLD, _OLD_PARTS)
    timed = parts["rest"].is_not_null()
    head = _groups(parts["rest"], _HEAD, ("host", "app", "procid", "message"))
    times = _old_times(parts, frame["seen"], zone)
    columns = {
        "pri": parts["pri"],
        "timestamp": times,
        "host": parts["sender"].zip_with(parts["sender"].is_not_null(), head["host"]),
        "app": head["app"],
        "procid": head["procid"],
        "message": head["message"],
    }
    flaw = frame["flaw"]
    if not timed.all():
        plain = _groups(text, _PLAIN, ("pri", "app", "procid", "message"))
        for name in ("pri", "app", "procid", "message"):
            columns[name] = columns[name].zip_with(timed, plain[name])
        bare = ~timed & plain["message"].is_null()
        columns["message"] = columns["message"].zip_with(~bare, text)
        flaw = _flawed(frame, bare, NO_HEADER)
    found = frame.drop("text").with_columns(flaw, **columns)
    found = found.with_columns(flaw=_flawed(found, timed & times.is_null(), NO_TIME))
    return _mnemonics(found, head["app"].zip_with(timed, pl.repeat(None, len(text), dtype=pl.String, eager=True)))


def _old_times(parts: pl.DataFrame, seen: pl.Series, zone: ZoneInfo) -> pl.Series:
    """Times with the month's name, without a year the latest that is not ahead of the arrival, or ISO 8601."""
    times = parse_times(parts["time"], zone)
    named = parts["month"].is_not_null()
    if not named.any():
        return times
    clock = pl.format("{}.{}", "clock", pl.col("fraction").fill_null("0"))
    year = pl.coalesce("year", "late_year")
    texts = parts.select(
        with_year=pl.format("{} {} {} {}", "month", "day", year, clock),
        without=pl.format("{} {} {}", "month", "day", clock),
        zoned=pl.col("zone").is_in(["UTC", "GMT"]),
    )
    utc = ZoneInfo("UTC")
    for where, at in ((texts["zoned"], utc), (~texts["zoned"].fill_null(value=False), zone)):
        if (mine := named & where.fill_null(value=False)).any():
            dated = texts["with_year"].is_not_null()
            if (rows := mine & dated).any():
                times = _WITH_YEAR.read(texts["with_year"], seen, at).zip_with(rows, times)
            if (rows := mine & ~dated).any():
                times = _WITHOUT_YEAR.read(texts["without"], seen, at).zip_with(rows, times)
    return times


def _mnemonics(found: pl.DataFrame, tag: pl.Series) -> pl.DataFrame:
    """Cisco's `%ASA-6-302013:` names a kind of message and no program; people search for it in the message."""
    if not (cisco := tag.str.starts_with("%").fill_null(value=False)).any():
        return found
    tag = tag.set(~cisco, None)
    message = pl.select(pl.format("{}: {}", tag, found["message"])).to_series()
    return found.with_columns(
        message=message.zip_with(cisco, found["message"]),
        app=found["app"].set(cisco, None),
        msgid=tag.str.strip_prefix("%"),
    )


def _flawed(found: pl.DataFrame, where: pl.Series, flaw: str) -> pl.Series:
    """The flaws with this one where there is none yet."""
    return found["flaw"].set(where & found["flaw"].is_null(), flaw) if where.any() else found["flaw"]


def _event(found: pl.DataFrame) -> pl.DataFrame:
    """The columns of events of the parts of messages; the other columns are attributes."""
    number = found["pri"].cast(pl.UInt16, strict=False)
    if (wrong := number > 191).any():
        found = found.with_columns(flaw=_flawed(found, wrong.fill_null(value=False), NO_PRIORITY))
        number = number.set(wrong.fill_null(value=False), None)
    severity, facility = (number % 8).cast(pl.UInt8), (number // 8).cast(pl.UInt8)
    codes = pl.Series(range(8), dtype=pl.UInt8)
    frame = found.with_columns(
        observed_timestamp=found["seen"],
        severity=severity.replace_strict(codes, pl.Series(SYSLOG_NUMBERS, dtype=pl.UInt8)),
        severity_text=severity.replace_strict(codes, pl.Series(SYSLOG)),
        service=found["app"],
        host=found["host"].zip_with(found["host"].is_not_null(), found["peer"]),
        parse_error=found["flaw"],
        **{"syslog.facility": facility.replace_strict(pl.Series(range(24), dtype=pl.UInt8), pl.Series(FACILITIES))},
    )
    renamed = {"procid": "syslog.procid", "msgid": "syslog.msgid"}
    found = frame.drop("pri", "app", "flaw", "peer", "seen")
    return found.rename({old: new for old, new in renamed.items() if old in found.columns})
