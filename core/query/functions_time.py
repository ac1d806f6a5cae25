"""Functions of times. Hours, weekdays and days are those of the request's time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from . import sql
from .expressions import Arguments
from .function import function
from .literals import UNITS_NS
from .scope import is_after_1970
from .sql import Expr
from .tree import Duration, Mistake, Number, Text
from .value import Value, one

DAY, WEEK = UNITS_NS["d"], UNITS_NS["w"]
MONDAY = 4 * DAY  # 1970-01-05: weeks begin on Mondays


def bin_time(tree: Expr, span: int, zone: ZoneInfo, *, after_1970: bool = False) -> Expr:
    """The begin of the span that holds the time. Spans of whole days begin at the zone's midnight, weeks on Mondays."""
    origin = MONDAY if span % WEEK == 0 else 0
    is_local = span % DAY == 0 and zone.key != "UTC"
    ns = sql.sql("epoch_ns(:t)", t=local(tree, zone) if is_local else tree)
    if origin:
        ns = sql.sql(":t - :o", t=ns, o=origin)
    # The remainder of a negative number is negative in SQL: before 1970 it takes a second step.
    rest = (
        sql.sql(":t % :s", t=ns, s=span) if after_1970 and not origin else sql.sql("(:t % :s + :s) % :s", t=ns, s=span)
    )
    start = sql.sql(":t - :r + :o", t=ns, r=rest, o=origin) if origin else sql.sql(":t - :r", t=ns, r=rest)
    begin = sql.sql("make_timestamp_ns(:t)", t=start)
    return utc(begin, zone) if is_local else begin


def local(tree: Expr, zone: ZoneInfo) -> Expr:
    """The wall clock of the zone at a time."""
    if zone.key == "UTC":
        return tree
    return sql.sql("CAST(timezone(:z, timezone('UTC', :t)) AS TIMESTAMP_NS)", z=zone.key, t=tree)


def utc(tree: Expr, zone: ZoneInfo) -> Expr:
    """The time at which the zone's wall clock shows this."""
    return sql.sql("CAST(timezone('UTC', timezone(:z, :t)) AS TIMESTAMP_NS)", z=zone.key, t=tree)


def moment(args: Arguments, i: int) -> Expr:
    """The argument as a time."""
    value = args.value(i)
    if "time" in value.kinds:
        return value.kinds["time"]
    if value.is_null:
        return sql.cast(sql.NULL.copy(), "TIMESTAMP_NS")
    if value.has("text"):
        return sql.sql("TRY_CAST(:x AS TIMESTAMP_NS)", x=value.kinds["text"])
    raise Mistake(f"{args.call.name}() takes a time, not a {value.type}", args.node(i).at)


@function("now()", 0)
def now(args: Arguments) -> Value:
    """The time of the query."""
    return one("time", sql.time(args.scope.context.ask(lambda context: context.now_ns)))


@function("bin(timestamp, 5m)", 1, 2)
def bin_(args: Arguments) -> Value:
    """The begin of the span, or the multiple of the number, that holds the value; `bin(5m)` is of the timestamp."""
    span = args.node(len(args) - 1)
    if len(args) == 1:
        value = args.scope.field("timestamp") or args.scope.field("time")
        if value is None or "time" not in value.kinds:
            raise Mistake("there is no timestamp here", args.call.at, "name the time: bin(t, 5m)")
    else:
        value = args.value(0)
    if isinstance(span, Number) and len(args) == 2:
        if span.value <= 0:
            raise Mistake("the width must be above 0", span.at)
        number = args.number(0)
        if isinstance(span.value, int) and number.has("int"):
            return one("int", sql.sql(":x - (:x % :s + :s) % :s", x=number.kinds["int"], s=span.value))
        tree = sql.cast(next(iter(number.kinds.values()), sql.NULL.copy()), "DOUBLE")
        return one("float", sql.sql("floor(:x / :s) * :s", x=tree, s=float(span.value)))
    if not isinstance(span, Duration) or span.ns <= 0:
        raise Mistake("the span must be a duration such as 5m", span.at)
    tree = value.kinds["time"] if "time" in value.kinds else moment(args, 0)
    context = args.scope.context
    after_1970 = len(args) == 1 and context.ask(is_after_1970)
    return one("time", bin_time(tree, span.ns, context.zone, after_1970=after_1970))


@function("hour(timestamp)", 1)
def hour(args: Arguments) -> Value:
    """The hour, 0 to 23."""
    return one("int", sql.call("hour", local(moment(args, 0), args.scope.context.zone)))


@function("weekday(timestamp)", 1)
def weekday(args: Arguments) -> Value:
    """The day of the week, 1 Monday to 7 Sunday."""
    return one("int", sql.call("isodow", local(moment(args, 0), args.scope.context.zone)))


@function("date(timestamp)", 1)
def date(args: Arguments) -> Value:
    """The day as text, 2026-01-31."""
    return one("text", sql.call("strftime", local(moment(args, 0), args.scope.context.zone), "%Y-%m-%d"))


@function('format_time(timestamp, "%H:%M")', 2)
def format_time(args: Arguments) -> Value:
    """The time as text in a strftime format."""
    layout = args.node(1)
    if not isinstance(layout, Text):
        raise Mistake('the format must be a text such as "%H:%M"', layout.at)
    return one("text", sql.call("strftime", local(moment(args, 0), args.scope.context.zone), layout.text))


@function('parse_time(text, "%d/%m/%Y")', 1, 2)
def parse_time(args: Arguments) -> Value:
    """The time that a text says, in ISO 8601 or a strptime format; null where it says none."""
    if len(args) == 1:
        return one("time", sql.sql("TRY_CAST(:x AS TIMESTAMP_NS)", x=args.text(0)))
    layout = args.node(1)
    if not isinstance(layout, Text):
        raise Mistake('the format must be a text such as "%d/%m/%Y"', layout.at)
    return one("time", sql.sql("CAST(:x AS TIMESTAMP_NS)", x=sql.call("try_strptime", args.text(0), layout.text)))
