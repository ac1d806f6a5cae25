"""A LogQL expression as text on one line, which reads back as the same tree."""

from __future__ import annotations

import re

from . import tree
from .answers import number
from .tree import Expression, Log

UNITS = (("d", 86_400 * 10**9), ("h", 3600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3),
         ("ns", 1))  # fmt: skip
RANK = {"or": 0, "and": 1, "unless": 1, "==": 2, "!=": 2, ">": 2, ">=": 2, "<": 2, "<=": 2, "+": 3, "-": 3, "*": 4,
        "/": 4, "%": 4, "^": 5}  # fmt: skip
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def written(node: Expression) -> str:
    """The expression.

    >>> from .parser import parse
    >>> written(parse('sum  by(a)(rate({app="x"}|="y"|json[5m]))>1'))
    'sum by (a) (rate({app="x"} |= "y" | json [5m])) > 1'
    """
    match node:
        case Log(selector=selector, stages=stages):
            return " ".join([f"{{{', '.join(map(matcher, selector))}}}", *map(stage, stages)])
        case tree.Literal(value=value):
            return number(value)
        case tree.VectorOf(value=value):
            return f"vector({number(value)})"
        case tree.RangeOf():
            return _range(node)
        case tree.Aggregated(op=op, inner=inner, grouping=by, parameter=parameter):
            first = f"{number(parameter)}, " if parameter is not None else ""
            return f"{op}{grouping(by) + ' ' if by else ''}({first}{written(inner)})"
        case tree.Replaced(inner=inner, label=label, replacement=text, source=source, regex=regex):
            return f"label_replace({', '.join([written(inner), *map(quoted, (label, text, source, regex))])})"
        case tree.Binary():
            return _binary(node)


def _range(node: tree.RangeOf) -> str:
    first = f"{number(node.parameter)}, " if node.parameter is not None else ""
    offset = f" offset {duration(node.offset_ns)}" if node.offset_ns else ""
    inner = f"{written(node.log)}{' ' if node.log.stages else ''}[{duration(node.range_ns)}]{offset}"
    return f"{node.op}({first}{inner}){grouping(node.grouping) if node.grouping else ''}"


def _binary(node: tree.Binary) -> str:
    rank = RANK[node.op]
    is_right = node.op == "^"

    def side(inner: tree.Metric, *, is_tight: bool) -> str:
        loose = isinstance(inner, tree.Binary) and (RANK[inner.op] < rank or (RANK[inner.op] == rank and not is_tight))
        return f"({written(inner)})" if loose else written(inner)

    words = [side(node.left, is_tight=not is_right), node.op]
    if node.is_bool:
        words.append("bool")
    if (matching := node.matching) is not None:
        words.append(f"{'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})")
        if matching.group:
            words.append(f"group_{matching.group} ({', '.join(matching.included)})")
    return " ".join([*words, side(node.right, is_tight=is_right)])


def grouping(node: tree.Grouping) -> str:
    """` by (a, b)`."""
    return f" {'without' if node.without else 'by'} ({', '.join(node.labels)})"


def quoted(text: str) -> str:
    r"""A text in quotes.

    >>> print(quoted('a"b\n'))
    "a\"b\n"
    """
    return '"' + re.sub(r'[\\"\n\t\r]', lambda found: ESCAPES[found[0]], text) + '"'


def duration(ns: int) -> str:
    """A length of time.

    >>> duration(5400 * 10**9), duration(-60 * 10**9)
    ('1h30m', '-1m')
    """
    rest, made = abs(ns), ""
    for unit, length in UNITS:
        amount, rest = divmod(rest, length)
        made += f"{amount}{unit}" * (amount > 0)
    return "-" * (ns < 0) + made


def matcher(node: tree.Matcher) -> str:
    """`label="value"`, or the label alone."""
    return f"{node.label}{node.op}{quoted(node.value)}" if node.op else node.label


def stage(node: tree.LogStage) -> str:
    """A stage with its pipe."""
    match node:
        case tree.LineFilter(op=op, values=values, ips=ips):
            return f"{op} " + " or ".join(f"ip({quoted(value)})" if ips else quoted(value) for value in values)
        case tree.LabelFilter(test=test):
            return f"| {label_test(test)}"
        case tree.Parser(kind=kind, text=text, fields=fields, flags=flags):
            listed = ", ".join(
                one.label if one.label == one.path else f"{one.label}={quoted(one.path)}" for one in fields
            )
            return " ".join(filter(None, ["|", kind, *flags, quoted(text) if text else "", listed]))
        case tree.LineFormat(template=text):
            return f"| line_format {quoted(text)}"
        case tree.LabelFormat(items=items):
            made = (f"{one.label}={quoted(one.source) if one.is_template else one.source}" for one in items)
            return f"| label_format {', '.join(made)}"
        case tree.Decolorize():
            return "| decolorize"
        case tree.Chosen(kind=kind, labels=labels):
            return f"| {kind} {', '.join(map(matcher, labels))}"
        case tree.Unwrap(label=label, conversion=conversion):
            return f"| unwrap {conversion}({label})" if conversion else f"| unwrap {label}"


def label_test(node: tree.LabelTest) -> str:
    """A label filter."""
    match node:
        case tree.Both(items=items):
            return " and ".join(
                f"({label_test(one)})" if isinstance(one, tree.Either) else label_test(one) for one in items
            )
        case tree.Either(items=items):
            return " or ".join(map(label_test, items))
        case tree.NumberTest(label=label, op=op, typed=typed):
            return f"{label} {op} {typed}"
        case tree.IpTest(label=label, op=op, network=network):
            return f"{label} {op} ip({quoted(network)})"
        case tree.Matcher():
            return matcher(node)
