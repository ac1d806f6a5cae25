"""Search terms to SQL conditions. A condition is null or false where it does not hold; only `Not` makes that true."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network

from ...plugins.fields import IDENTIFIERS
from . import compare, literals, sql
from .literals import lower
from .mistakes import did_you_mean
from .scope import ALIASES, Context, Scope, lookup
from .severity import RANGES, severity_range
from .sql import FALSE, Expr
from .tree import (
    Bare,
    Everything,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    Mistake,
    Name,
    Node,
    Regex,
    Text,
    Word,
)  # fmt: skip
from .value import Value, present, texts

GLOB = re.compile(r"(?<!\\)[*?]")


def term(node: Node, scope: Scope) -> Expr | None:
    """The condition of a search term; None: the node is none, but an expression."""
    match node:
        case Everything():
            return sql.TRUE
        case Word(text=text):
            return scope.phrase(text)
        case Text(text=text, exact=False):
            return scope.phrase(text)
        case Text(text=text):
            if is_message(Name("message"), scope):
                return scope.phrase(text, exact=True)
            return over_texts(message(scope), lambda tree: sql.sql("contains(:x, :y)", x=tree, y=text))
        case Regex():
            return matches(message(scope), node)
        case FieldCompare(field=field, op=op, value=value):
            return field_compare(field, op, value, scope)
        case FieldRange(field=field, low=low, high=high):
            parts = [field_compare(field, ">=", low, scope), field_compare(field, "<=", high, scope)]
            return sql.all_of(parts)
        case FieldMatches(field=field, regex=regex):
            return matches(lookup(scope, field), regex)
        case FieldContains(field=field, text=text):
            if is_message(field, scope):
                return scope.phrase(text)
            needle = lower(text)
            return over_texts(lookup(scope, field), lambda tree: sql.sql("contains(lower(:x), :y)", x=tree, y=needle))
        case FieldPresent(field=field):
            return present(lookup(scope, field))
    return None


def message(scope: Scope) -> Value:
    """The message; nothing where no stage left it."""
    return scope.field("message") or Value()


def is_message(field: Name, scope: Scope) -> bool:
    """Whether the name means the events' message, where phrases have a short cut."""
    return field.name == "message" and (value := scope.field("message")) is not None and set(value.kinds) == {"text"}


def over_texts(value: Value, test: Callable[[Expr], Expr]) -> Expr:
    """A test of the text form, whatever the kind."""
    return sql.any_of(test(tree) for tree in texts(value).values())


def matches(value: Value, regex: Regex) -> Expr:
    """RE2, anywhere in the text form; `.` matches no line break."""
    options = "i" if regex.ignore_case else "c"
    pattern = regex.pattern
    if "\0" in pattern:
        raise Mistake("a regular expression cannot hold a NUL character", regex.at, r"write \x00")
    return over_texts(value, lambda tree: sql.call("regexp_matches", tree, pattern, options))


def field_compare(field: Name, op: str, literal: Bare | Text, scope: Scope) -> Expr:
    """`field op value`, for each kind that the field has by that kind's rule."""
    value = lookup(scope, field)
    if field.name == "pattern" and scope.field("pattern") is None and op in (":", "=", "!="):
        return has_pattern(literal.text, scope, wanted=op != "!=")
    equality = "=" if op == ":" else op
    is_bare = isinstance(literal, Bare)
    if op == ":" and not (isinstance(literal, Text) and literal.exact) and GLOB.search(literal.text):
        return over_texts(value, glob(literal.text))
    parts: list[Expr] = []
    rest: dict[str, Expr] = {}
    for kind, tree in value.kinds.items():
        if kind == "severity":
            parts.append(level(tree, equality, literal, scope))
        elif kind == "time":
            span = scope.context.ask(partial(_instant, literal.text))
            if span is None:
                raise Mistake(f"`{literal.text[:40]}` is no time", literal.at,
                              "times: 2026-01-31, 2026-01-31T12:00:00Z, -15m, now")  # fmt: skip
            parts.append(compare.with_time(tree, equality, span))
        elif kind == "duration" and (ns := literals.duration(literal.text)) is not None:
            parts.append(compare.with_number(Value({kind: tree}), equality, ns))
        else:
            rest[kind] = tree
    if rest:
        parts.append(plain(Value(rest), field, op, literal, is_bare))
    return sql.any_of(parts)


def _instant(text: str, context: Context) -> tuple[int, int] | None:
    """See `literals.time_ns`."""
    return literals.time_ns(text, context.now_ns, context.zone)


def has_pattern(pattern: str, scope: Scope, *, wanted: bool) -> Expr:
    """Whether the message has the pattern, or, not `wanted`, has another."""
    shaped = scope.context.shaped

    def test(tree: Expr) -> Expr:
        found = shaped.has(pattern, tree)
        return found if wanted else sql.sql("CASE WHEN :x IS NOT NULL THEN NOT :f END", x=tree, f=found)

    return over_texts(message(scope), test)


def plain(value: Value, field: Name, op: str, literal: Bare | Text, is_bare: bool) -> Expr:
    """Compare numbers, texts and booleans with what was typed."""
    equality = "=" if op == ":" else op
    # Identifiers are no numbers: 0123 and 123 are two traces, and 1e5 is none of them.
    written = literal.text
    number = literals.number(written) if is_bare and field.name not in IDENTIFIERS else None
    if number is not None:
        return compare.with_number(value, equality, number, written)
    if is_bare and (size := literals.size(written)) is not None:
        by_size = compare.with_number(value, equality, size, written)
        if equality not in ("=", "!="):
            return by_size
        both = [by_size, compare.with_text(value, equality, written)]
        return sql.any_of(both) if equality == "=" else sql.all_of(both)
    found = compare.with_text(value, equality, written)
    if op == ":" and is_bare and (network := network_of(written)) is not None:
        return sql.any_of([found, over_texts(value, lambda tree: in_network(tree, network))])
    return found


def level(tree: Expr, op: str, literal: Bare | Text, scope: Scope) -> Expr:
    """A severity by name or number; a word that is none matches nothing, with a warning."""
    span = severity_range(literal.text.strip())
    if span is None:
        hint = did_you_mean(literal.text, RANGES, "levels: trace debug info warn error fatal, or 1 to 24")
        scope.context.warn(f"`{literal.text[:40]}` is no level; {hint}")
        return sql.sql(":x IS NOT NULL", x=tree) if op == "!=" else FALSE
    return compare.with_severity(tree, op, span)


def glob(pattern: str) -> Callable[[Expr], Expr]:
    r"""A test for a glob: `*` any run, `?` one character, `\*` a star.

    >>> glob(r"a_*?\*")(sql.column("x")).sql(sql.DIALECT)
    '"x" LIKE \'a\\_%_*\' ESCAPE \'\\\''
    """
    like = ""
    for part in re.findall(r"\\[*?\\]|.", pattern, re.DOTALL):
        like += {"*": "%", "?": "_", r"\*": "*", r"\?": "?", "\\\\": "\\\\", "\\": "\\\\", "%": r"\%", "_": r"\_"}.get(
            part, part
        )
    return lambda tree: sql.sql(r":x LIKE :p ESCAPE '\'", x=tree, p=like)


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """The network that a text names with its prefix length; None: it is none."""
    if "/" not in text or not re.fullmatch(r"[0-9a-fA-F:.]+/\d{1,3}", text):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


V4 = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
V4_NUMBER = (
    "CAST(split_part(:x, '.', 1) AS BIGINT) * 16777216 + CAST(split_part(:x, '.', 2) AS BIGINT) * 65536"
    " + CAST(split_part(:x, '.', 3) AS BIGINT) * 256 + CAST(split_part(:x, '.', 4) AS BIGINT)"
)
V6 = r"([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(([0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6})?::([0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6})?)"
V6_LEFT = "split_part(lower(:x), '::', 1)"
V6_RIGHT = "split_part(lower(:x), '::', 2)"


def in_network(tree: Expr, network: IPv4Network | IPv6Network) -> Expr:
    """Whether a text is an address in the network. Without an extension of DuckDB: by arithmetic on the text."""
    first, last = int(network.network_address), int(network.broadcast_address)
    is_address = sql.sql("regexp_full_match(lower(:x), :r)", x=tree, r=V4 if network.version == 4 else V6)
    if network.version == 4:
        between = sql.sql(":n BETWEEN :a AND :b", n=sql.sql(V4_NUMBER, x=tree), a=first, b=last)
    else:
        between = sql.sql(":n BETWEEN :a AND :b", n=v6_hex(tree), a=f"{first:032x}", b=f"{last:032x}")
    return sql.sql("CASE WHEN :i THEN :b ELSE FALSE END", i=is_address, b=between)


def v6_hex(tree: Expr) -> Expr:
    """The 32 hexadecimal digits of an IPv6 address: its groups padded to four, `::` filled with zeros."""
    padded = "array_to_string(list_transform(string_split({part}, ':'), lambda g: lpad(g, 4, '0')), '')"
    pad = f"CASE WHEN {{part}} = '' THEN '' ELSE {padded} END"
    left = sql.sql(pad.format(part=V6_LEFT), x=tree)
    right = sql.sql(pad.format(part=V6_RIGHT), x=tree)
    return sql.sql(":l || repeat('0', 32 - length(:l) - length(:r)) || :r", l=left, r=right)


__all__ = ["ALIASES", "term"]
