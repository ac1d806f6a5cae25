"""LogQL text to tree, by Lark's LALR over grammar.lark. Whatever the text, only LogQLError leaves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from . import tree
from .tree import MAX_DEPTH, MAX_LENGTH, Expression, Log, LogQLError, Matcher

UNITS_NS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9, "y": 365 * 86_400 * 10**9,
}  # fmt: skip
PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?([kmgtp]?)(i?)b", re.IGNORECASE)
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "'": "'", "\\": "\\"}
NESTING = re.compile(r'[(){}\[\]^+-]|"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)
TWO_PARAMETERS = {"topk", "bottomk", "approx_topk"}


def duration_ns(text: str) -> int | None:
    """Nanoseconds of `5m`, `1h30m`, `1.5s`; None: it is no duration.

    >>> duration_ns("1h30m"), duration_ns("1y"), duration_ns("5 m")
    (5400000000000, 31536000000000000, None)
    """
    if len(text) > 60 or PART.sub("", text) or not text:
        return None
    total = round(sum(float(amount) * UNITS_NS[unit] for amount, unit in PART.findall(text)))
    return total if total < 2**62 else None


def size_bytes(text: str) -> float:
    """Bytes of `20KB`, `1MiB`.

    >>> size_bytes("20KB"), size_bytes("1MiB")
    (20000.0, 1048576.0)
    """
    found = SIZE.fullmatch(text)
    assert found is not None, "the grammar lets nothing else through"
    power = " kmgtp".index(found[2].lower() or " ")
    return float(found[1]) * float((1024 if found[3] else 1000) ** power)


def unquoted(token: str) -> str:
    r"""A text of Go without its quotes.

    >>> unquoted('"a\\"b\\n"') == 'a"b\n', unquoted("`a\\d`")
    (True, 'a\\d')
    """
    if token[0] == "`":
        return token[1:-1]

    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) == 1:
            if escape not in SIMPLE:
                raise LogQLError(f"\\{escape} is no escape", hint="double the backslash, or quote the text in `…`")
            return SIMPLE[escape]
        code = int(escape[1:], 16) if escape[0] in "xuU" else int(escape, 8)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"

    return ESCAPE.sub(one, token[1:-1])


class _Builder(Transformer[Token, Expression]):
    """Rule names are method names."""

    def start(self, children: list[Any]) -> Expression:
        found: Expression = children[0]
        return found

    # ---- logs

    def selector_pipeline(self, children: list[Any]) -> Log:
        selector, *stages = children
        if any(isinstance(stage, tree.Unwrap) for stage in stages):
            raise LogQLError("unwrap gives samples: put it in a range, as in sum_over_time({…} | unwrap x [5m])")
        return Log(selector, tuple(stages))

    def selector(self, children: list[Any]) -> tuple[Matcher, ...]:
        return tuple(child for child in children if child is not None)

    def matcher(self, children: list[Any]) -> Matcher:
        label, op, value = children
        return Matcher(str(label), str(op), unquoted(value))

    def line_value(self, children: list[Any]) -> tuple[str, bool]:
        return unquoted(children[0]), False

    def line_ip(self, children: list[Any]) -> tuple[str, bool]:
        return unquoted(children[1]), True

    def line_filter(self, children: list[Any]) -> tree.LineFilter:
        op, *values = [child for child in children if not (isinstance(child, Token) and child.type == "OR")]
        return tree.LineFilter(str(op), tuple(text for text, _ in values), any(is_ip for _, is_ip in values))

    def extraction(self, children: list[Any]) -> tree.Extraction:
        label, path = children
        return tree.Extraction(str(label), str(label) if path is None else unquoted(path))

    def json(self, children: list[Any]) -> tree.Parser:
        return tree.Parser("json", fields=_of(tree.Extraction, children))

    def logfmt(self, children: list[Any]) -> tree.Parser:
        flags = tuple(str(child) for child in children if isinstance(child, Token) and child.type == "FLAG")
        return tree.Parser("logfmt", fields=_of(tree.Extraction, children), flags=flags)

    def regexp(self, children: list[Any]) -> tree.Parser:
        return tree.Parser("regexp", unquoted(children[1]))

    def pattern(self, children: list[Any]) -> tree.Parser:
        return tree.Parser("pattern", unquoted(children[1]))

    def unpack(self, children: list[Any]) -> tree.Parser:
        return tree.Parser("unpack")

    def line_format(self, children: list[Any]) -> tree.LineFormat:
        return tree.LineFormat(unquoted(children[1]))

    def decolorize(self, children: list[Any]) -> tree.Decolorize:
        return tree.Decolorize()

    def renamed(self, children: list[Any]) -> tree.Renamed:
        label, source = children
        is_template = source.type == "STRING"
        return tree.Renamed(str(label), unquoted(source) if is_template else str(source), is_template)

    def label_format(self, children: list[Any]) -> tree.LabelFormat:
        return tree.LabelFormat(_of(tree.Renamed, children))

    def named(self, children: list[Any]) -> Matcher:
        label, op, value = children
        return Matcher(str(label), str(op or ""), unquoted(value) if value is not None else "")

    def drop(self, children: list[Any]) -> tree.Chosen:
        return tree.Chosen("drop", _of(Matcher, children))

    def keep(self, children: list[Any]) -> tree.Chosen:
        return tree.Chosen("keep", _of(Matcher, children))

    def unwrap(self, children: list[Any]) -> tree.Unwrap:
        return tree.Unwrap(str(children[1]))

    def unwrap_as(self, children: list[Any]) -> tree.Unwrap:
        return tree.Unwrap(str(children[2]), str(children[1]))

    def either(self, children: list[Any]) -> tree.LabelTest:
        items = tuple(child for child in children if not isinstance(child, Token))
        return items[0] if len(items) == 1 else tree.Either(items)

    def both(self, children: list[Any]) -> tree.LabelTest:
        items = tuple(child for child in children if not isinstance(child, Token))
        return items[0] if len(items) == 1 else tree.Both(items)

    def ip_test(self, children: list[Any]) -> tree.IpTest:
        label, op, _, network = children
        if op not in ("=", "!="):
            raise LogQLError(f"ip() goes with = and !=, not with {op}")
        return tree.IpTest(str(label), str(op), unquoted(network))

    def number_test(self, children: list[Any]) -> tree.NumberTest:
        label, op, sign, value = children
        if op in ("=~", "!~"):
            raise LogQLError(f"{op} takes a text in quotes")
        minus = -1 if sign == "-" else 1
        typed = f"{sign or ''}{value}"
        if value.type == "DURATION":
            return tree.NumberTest(str(label), str(op), minus * (duration_ns(value) or 0) / 1e9, "duration", typed)
        if value.type == "BYTES":
            return tree.NumberTest(str(label), str(op), minus * size_bytes(value), "bytes", typed)
        return tree.NumberTest(str(label), str(op), minus * number(value), "", typed)

    def label_filter(self, children: list[Any]) -> tree.LabelFilter:
        return tree.LabelFilter(children[0])

    # ---- series

    def literal(self, children: list[Any]) -> tree.Literal:
        return tree.Literal(number(children[0]))

    def signed(self, children: list[Any]) -> tree.Metric:
        sign, inner = children
        if isinstance(inner, tree.Literal):
            return tree.Literal(-inner.value if sign == "-" else inner.value)
        raise LogQLError("a sign goes before a number; write 0 - … for the opposite of a series")

    def vector_of(self, children: list[Any]) -> tree.VectorOf:
        _, sign, value = children
        return tree.VectorOf(number(value) * (-1 if sign == "-" else 1))

    def labels(self, children: list[Any]) -> tuple[str, ...]:
        return tuple(str(child) for child in children if child is not None)

    def grouping(self, children: list[Any]) -> tree.Grouping:
        kind, labels = children
        return tree.Grouping(labels, kind == "without")

    def offset(self, children: list[Any]) -> int:
        _, sign, text = children
        return (duration_ns(text) or 0) * (-1 if sign == "-" else 1)

    def selector_range(self, children: list[Any]) -> tuple[Log, int, int]:
        selector, *rest = children
        at = next(i for i, child in enumerate(rest) if isinstance(child, Token) and child.type == "RANGE")
        stages = (*rest[:at], *rest[at + 2 :])
        return Log(selector, tuple(stages)), _range_of(rest[at]), rest[at + 1] or 0

    def log_range(self, children: list[Any]) -> tuple[Log, int, int]:
        found: tuple[Log, int, int] = children[0]
        return found

    def enclosed_range(self, children: list[Any]) -> tuple[Log, int, int]:
        log, text, offset = children
        return log, _range_of(text), offset or 0

    def range_aggregation(self, children: list[Any]) -> tree.RangeOf:
        op, parameter, (log, range_ns, offset), grouping = children
        if (parameter is not None) != (op == "quantile_over_time"):
            raise LogQLError(f"{op} takes {'a number and' if parameter is None else 'no number, only'} a range of logs")
        value = None if parameter is None else number(parameter)
        return tree.RangeOf(str(op), log, range_ns, offset, value, grouping)

    def vector_aggregation(self, children: list[Any]) -> tree.Aggregated:
        op, before, parameter, inner, behind = children
        if before is not None and behind is not None:
            raise LogQLError(f"{op} is grouped twice")
        if (parameter is not None) != (op in TWO_PARAMETERS):
            raise LogQLError(f"{op} takes {'a number and' if parameter is None else 'no number, only'} an expression")
        value = None if parameter is None else number(parameter)
        return tree.Aggregated(str(op), inner, before or behind, value)

    def label_replace(self, children: list[Any]) -> tree.Replaced:
        _, inner, *texts = children
        return tree.Replaced(inner, *(unquoted(text) for text in texts))

    def matching(self, children: list[Any]) -> tree.Matching:
        kind, labels, group, included = children
        side = {"group_left": "left", "group_right": "right"}.get(str(group or ""), "")
        return tree.Matching(kind == "on", labels, side, included or ())  # type: ignore[arg-type] # one of three

    def modifier(self, children: list[Any]) -> tuple[bool, tree.Matching | None]:
        is_bool, matching = children
        return is_bool is not None, matching

    def binary(self, children: list[Any]) -> tree.Binary:
        left, op, (is_bool, matching), right = children
        if op in ("=", "=~", "!~"):
            raise LogQLError(f"{op} compares labels; series are compared by == != > >= < <=")
        return tree.Binary(str(op), left, right, is_bool, matching)


def _of(kind: type[Any], children: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(child for child in children if isinstance(child, kind))


def _range_of(token: str) -> int:
    found = duration_ns(token[1:-1].strip())
    if not found:
        raise LogQLError(f"the range {token} is no length of time")
    return found


def number(text: str) -> float:
    """A number as LogQL writes it.

    >>> number("0x10"), number("1e3"), number(".5")
    (16.0, 1000.0, 0.5)
    """
    return float(int(text, 16)) if text[:2].lower() == "0x" else float(text)


@lru_cache(maxsize=1)
def logql_parser() -> Lark:
    """The parser, made once."""
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=True)


def parse(text: str) -> Expression:
    """The tree of a LogQL expression.

    :raises LogQLError: with line and column

    >>> parse('{app="x"} |= "y"').stages[0].op
    '|='
    """
    if len(text) > MAX_LENGTH:
        raise LogQLError(f"an expression of {len(text)} characters is too long; use at most {MAX_LENGTH}")
    _check_nesting(text)
    try:
        found: object = logql_parser().parse(text)
    except UnexpectedInput as why:
        line, column = max(why.line, 1), max(why.column, 1)
        if isinstance(why, UnexpectedToken) and why.token.type == "$END":
            column = len(text.rsplit("\n", 1)[-1]) + 1
            line = text.count("\n") + 1
            raise LogQLError("syntax error: unexpected end", text=text, line=line, column=column) from None
        near = text[_place(text, line, column) :].split("\n")[0][:30]
        raise LogQLError(f"syntax error: unexpected {near!r}", text=text, line=line, column=column) from None
    except VisitError as why:
        if isinstance(why.orig_exc, LogQLError):
            raise why.orig_exc from None
        raise
    assert isinstance(found, Expression)
    return found


def parse_log(text: str) -> Log:
    """As `parse`, of an expression that gives logs.

    :raises LogQLError: also where it gives series
    """
    found = parse(text)
    if not isinstance(found, Log):
        raise LogQLError("a log query is needed here, not one of series", hint='as in {service_name="checkout"}')
    return found


def _place(text: str, line: int, column: int) -> int:
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column - 1


def _check_nesting(text: str) -> None:
    """Refuse what nests deeper than the passes behind the parser walk."""
    depth = 0
    signs = 0
    for found in NESTING.finditer(text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        signs += found[0] in "^+-"
        if depth > MAX_DEPTH or signs > 10 * MAX_DEPTH:
            raise LogQLError(f"an expression nested deeper than {MAX_DEPTH}", hint="write it flatter")
