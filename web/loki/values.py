"""Tests of labels and lines as nodes of the query language, and labels' texts as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network, summarize_address_range

import polars as pl

from ...core.query.extract import escaped
from ...core.query.tree import (
    And,
    Arithmetic,
    Bare,
    Call,
    Compare,
    Everything,
    FieldCompare,
    FieldMatches,
    FieldPresent,
    Name,
    Node,
    Not,
    Number,
    Or,
    Regex,
    Text,
)  # fmt: skip
from . import tree
from .labels import LEVELS, UNKNOWN
from .tree import LogQLError, unsupported

NOTHING = Not(Everything())
HOLE = re.compile(r"<([A-Za-z_]\w*|_)>")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DURATION = r"^[+-]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$"
SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}
MOST_NETWORKS = 64  # that a range of addresses is made of


def regex(pattern: str) -> Regex:
    r"""A regular expression that can be written between slashes.

    >>> regex("a\\/b\nc").pattern
    'a/b\\nc'
    """
    plain = re.sub(r"\\(.)", lambda found: "/" if found[1] == "/" else found[0], pattern, flags=re.DOTALL)
    return Regex(plain.replace("\\\n", "\n").replace("\n", "\\n"))


def whole(pattern: str) -> Regex:
    """A regular expression of a label's whole value."""
    return regex(f"^(?s:{pattern})$")


def fits(pattern: str, texts: tuple[str, ...]) -> list[bool]:
    """Which texts the expression matches as a whole, in linear time.

    :raises LogQLError: it is none

    >>> fits("err.*|", ("error", "info", ""))
    [True, False, True]
    """
    try:
        return pl.Series(texts, dtype=pl.String).str.contains(f"^(?s:{pattern})$").to_list()
    except pl.exceptions.ComputeError as why:
        reason = str(why).strip().splitlines()[-1].removeprefix("error: ")
        raise LogQLError(f"the regular expression {pattern[:60]!r} is none: {reason}") from None


def matcher(test: tree.Matcher, field: str) -> Node:
    """The condition of `label="value"`. A missing label is an empty one."""
    if field == "severity":
        return _level(test)
    name = Name(field)
    if test.op in ("=", "!="):
        if not test.value:
            found: Node = Or((Not(FieldPresent(name)), FieldCompare(name, "=", Text(""))))
        else:
            found = FieldCompare(name, "=", Text(test.value))
    elif test.value == ".+":
        found = FieldPresent(name)
    elif test.value == ".*":
        found = Everything()
    else:
        found = FieldMatches(name, whole(test.value))
        if fits(test.value, ("",))[0]:
            found = Or((Not(FieldPresent(name)), found))
    return opposite(found) if test.op in ("!=", "!~") else found


def _level(test: tree.Matcher) -> Node:
    """A level by its name. Where there is none, `detected_level` is `unknown`, as in Loki, and `level` is empty."""
    missing = UNKNOWN if test.label == "detected_level" else ""
    severity = Name("severity")
    names = (*LEVELS, missing)
    if test.op in ("=", "!="):
        wanted = [name for name in names if name == test.value.lower()]
        other = [] if wanted else [test.value.lower()]
    else:
        cases = zip(names, fits(test.value, names), fits(test.value, tuple(map(str.upper, names))), strict=True)
        wanted, other = [name for name, low, high in cases if low or high], []
    tests: list[Node] = [FieldCompare(severity, ":", Bare(name)) for name in (*wanted, *other) if name in _WORDS]
    if missing in wanted:
        tests.append(Not(FieldPresent(severity)))
    found = any_of(tests)
    return opposite(found) if test.op in ("!=", "!~") else found


_WORDS = {*LEVELS, "warning", "err", "critical", "notice", "information"}


def opposite(node: Node) -> Node:
    """The node's opposite."""
    return node.item if isinstance(node, Not) else Not(node)


def any_of(nodes: list[Node]) -> Node:
    """Any of them; of none, nothing."""
    return NOTHING if not nodes else nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def all_of(nodes: list[Node]) -> Node:
    """All of them; of none, everything."""
    wanted = [node for node in nodes if not isinstance(node, Everything)]
    return Everything() if not wanted else wanted[0] if len(wanted) == 1 else And(tuple(wanted))


def label_test(test: tree.LabelTest, field_of: Callable[[str], str]) -> Node:
    """The condition of a label filter, with the column of each label."""
    match test:
        case tree.Both(items=items):
            return all_of([label_test(item, field_of) for item in items])
        case tree.Either(items=items):
            return any_of([label_test(item, field_of) for item in items])
        case tree.Matcher():
            return matcher(test, field_of(test.label))
        case tree.IpTest():
            found = any_of([in_network(Name(field_of(test.label)), network) for network in networks(test.network)])
            return opposite(found) if test.op == "!=" else found
        case tree.NumberTest():
            if not test.unit:  # a term of the search, by which segments are ruled out
                return FieldCompare(
                    Name(field_of(test.label)), test.op.replace("==", "="), Bare(str(_plain(test.value)))
                )
            value = as_number(Name(field_of(test.label)), test.unit)
            return Compare({"==": "="}.get(test.op, test.op), value, Number(_plain(test.value)))
    raise TypeError(type(test).__name__)


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def in_network(name: Name, network: str) -> Node:
    """Whether the field is an address of the network."""
    return Call("in_cidr", (name, Text(network)))


def networks(text: str) -> list[str]:
    """The networks that `10.0.0.0/8`, an address, or `10.0.0.1-10.0.0.9` mean.

    :raises LogQLError: it is none of these

    >>> networks("10.0.0.1-10.0.0.3")
    ['10.0.0.1/32', '10.0.0.2/31']
    """
    try:
        if "-" in text:
            first, last = (ip_address(part.strip()) for part in text.split("-", 1))
            if isinstance(first, IPv6Address) or isinstance(last, IPv6Address):
                raise ValueError("a range is one of IPv4; write a network")
            found = [str(network) for network in summarize_address_range(first, last)]
        else:
            found = [str(ip_network(text, strict=False))]
    except ValueError as why:
        raise LogQLError(f"ip({text[:60]!r}): {why}", hint="an address, a network or a range of addresses") from None
    if len(found) > MOST_NETWORKS:
        raise unsupported(f"a range of addresses that is more than {MOST_NETWORKS} networks")
    return found


def line_filter(stage: tree.LineFilter) -> Node:
    """The condition of a line filter.

    :raises LogQLError: it is of addresses
    """
    if stage.ips:
        raise unsupported(f"{stage.op} ip(…)", "take the address out by a parser, then | label = ip(…)")
    tests: list[Node] = []
    for value in stage.values:
        match stage.op:
            case "|=" | "!=":
                tests.append(Text(value, exact=True) if value else Everything())
            case "|~" | "!~":
                fits(value, ())
                tests.append(regex(value) if value else Everything())
            case _:
                tests.append(regex(_line_pattern(value)) if value else Everything())
    found: Node = Everything() if any(isinstance(test, Everything) for test in tests) else any_of(tests)
    return opposite(found) if stage.op.startswith("!") else found


def _line_pattern(pattern: str) -> str:
    """`<_> level=<_>` of a line filter: it begins and ends where the line does, but for `<_>` there."""
    if any(found[1] != "_" for found in HOLE.finditer(pattern)):
        raise LogQLError("a pattern of a line filter has no names: use <_>")
    parts = pattern.split("<_>")
    return f"(?s)^{'.*'.join(escaped(part) for part in parts)}$"


def pattern_regex(pattern: str) -> tuple[str, list[str]]:
    """The regular expression that the parser `pattern` means, and the names of its groups in order.

    :raises LogQLError: it has no names, or two captures that touch

    >>> pattern_regex("<ip> <_> <method> <_>")
    ('^(.*?) .*? (.*?) .*$', ['ip', 'method'])
    """
    names: list[str] = []
    made, done = "^", 0
    for found in HOLE.finditer(pattern):
        if found.start() == done and done:
            raise LogQLError("two captures of a pattern touch: there must be text between them")
        made += escaped(pattern[done : found.start()])
        done = found.end()
        body = ".*" if done == len(pattern) else ".*?"
        if found[1] == "_":
            made += body
        else:
            names.append(found[1])
            made += f"({body})"
    if done < len(pattern):
        made += escaped(pattern[done:])
    else:
        made += "$"
    if not names:
        raise LogQLError("the pattern has no capture with a name", hint="as in `<ip> - <_>`")
    if len(set(names)) < len(names):
        raise LogQLError("a name is twice in the pattern")
    return made, names


def as_number(value: Node, unit: str) -> Node:
    """A label's text as a number: as it is, of a duration its seconds, of a size its bytes."""
    if unit == "duration":
        return Call("if", (FieldLike(value, DURATION), _seconds(value)))
    if unit == "bytes":
        return Call("coalesce", tuple(_sizes(value)))
    return Call("float", (value,))


def FieldLike(value: Node, pattern: str) -> Node:  # noqa: N802 - it makes a node, as the nodes' own names do
    """Whether the text matches."""
    return Compare("matches", value, regex(pattern))


def _part(value: Node, pattern: str) -> Node:
    return Call("float", (Call("extract", (value, regex(pattern))),))


def _seconds(value: Node) -> Node:
    parts = {
        "h": r"([\d.]+)h", "m": r"([\d.]+)m(?:\d|$)", "s": r"([\d.]+)s", "ms": r"([\d.]+)ms",
        "us": r"([\d.]+)[uµ]s", "ns": r"([\d.]+)ns",
    }  # fmt: skip
    total: Node | None = None
    for unit, pattern in parts.items():
        part = Arithmetic("*", Call("coalesce", (_part(value, pattern), Number(0.0))), Number(SECONDS[unit]))
        total = part if total is None else Arithmetic("+", total, part)
    assert total is not None
    sign = Call("if", (FieldLike(value, "^-"), Number(-1), Number(1)))
    return Arithmetic("*", total, sign)


def _sizes(value: Node) -> list[Node]:
    made: list[Node] = []
    for unit, factor in SIZES.items():
        for binary in ("", "i") if unit else ("",):
            power = 1024.0 ** "kmgtp".index(unit) * 1024 if binary else factor
            end = f"{unit}{binary}b" if unit else "b?"
            made.append(Arithmetic("*", _part(value, rf"(?i)^\s*([\d.]+)\s*{end}$"), Number(power)))
    return made
