"""A tree as canonical text, which reads back as the same tree: one blank between terms, names and values in quotes
where they need them. Each stage writes itself (`Stage.written`); here is what they are made of.

A word that could not stand alone again (`in`, `=x`) is written as the phrase that it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from ...plugins.fields import IDENTIFIERS
from . import literals
from .literals import ESCAPES, UNITS_NS
from .tree import (
    EVENTS,
    And,
    Arithmetic,
    Bare,
    Call,
    Compare,
    Constant,
    Duration,
    Everything,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    In,
    InTable,
    IsNull,
    Name,
    Named,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Parameter,
    Query,
    Regex,
    Saved,
    Text,
    Word,
)  # fmt: skip

LINE = 100  # characters; a longer query has its stages below one another
OPERATORS = ("like", "matches", "contains", "startswith", "endswith")
# Words that mean something of their own where a name or a word may stand.
RESERVED = {"and", "or", "not", "in", "is", "as", "by", "true", "false", "null", "asc", "desc", "from", *OPERATORS}
PLAIN_NAME = re.compile(r"@?[^\W\d][\w.@]*")
SEARCHED_NAME = re.compile(r"(?!(?:and|or|not)/)@?[^\W\d][\w.@/-]*", re.IGNORECASE)
PLAIN_WORD = re.compile(r"[\w.@][\w.@/+-]*")
PLAIN_VALUE = re.compile(r"[^\s\"'`|(),=<>][^\s\"`|()]*")
SLASHED = re.compile(r"/(?:[^/\\\n]|\\.)+/i?")
# How tightly a form binds: what is written within a tighter one goes in parentheses.
OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, PRIMARY = range(8)
UNITS = tuple((unit, UNITS_NS[unit]) for unit in ("d", "h", "m", "s", "ms", "us", "ns"))
INNER = {ord(letter): f"\\{escape}" for escape, letter in ESCAPES.items() if letter in "\n\t\r"}


def query(tree: Query, *, inner: bool = False) -> str:
    """The query on one line; on several where that would be long.

    :param inner: it stands in parentheses: on one line whatever its length.
    """
    head = f"from {tree.head}" if tree.head != EVENTS else ""
    found = "" if isinstance(tree.search, Everything) and (tree.stages or head) else search(tree.search)
    parts = [" ".join(filter(None, (head, found)))]
    parts += [stage.written() for stage in tree.stages]
    line = " | ".join(parts).lstrip()
    return line if inner or len(line) <= LINE else "\n| ".join(parts).lstrip()


def subquery(tree: Query) -> str:
    """The query in parentheses."""
    return f"({query(tree, inner=True)})"


# ---- search ---------------------------------------------------------------------------------------------------------


def search(node: Node, around: int = OR) -> str:
    """A node of a search.

    >>> from .parser import parse
    >>> search(parse("a   B and (c or  d) not x:1 s in (2,'3') -y!=/z/").search)
    "a B (c or d) -x:1 s:(2 or '3') -y!=/z/"
    """
    if (listed := value_list(node) or unequal(node)) is not None:
        return listed
    match node:
        case Or(items=items):
            return enclosed(" or ".join(search(item, AND) for item in items), OR, around)
        case And(items=items):
            return enclosed(" ".join(search(item, NOT) for item in items), AND, around)
        case Not(item=item):
            return f"-{search(item, PRIMARY)}"
        case Everything():
            return "*"
        case Word(text=word):
            is_plain = PLAIN_WORD.fullmatch(word) and word.lower() not in RESERVED
            return word if is_plain else text(Text(word))
        case Text() | Regex():
            return text(node) if isinstance(node, Text) else regex(node)
        case Saved():
            return expression(node)
    return field_term(node, SEARCHED_NAME)


def field_term(node: Node, plain: re.Pattern[str]) -> str:
    """`field:value` and its like."""
    match node:
        case FieldCompare(field=field, op=op, value=value):
            return name(field, plain) + op + (field_value(value, op) if isinstance(value, Bare) else text(value))
        case FieldRange(field=field, low=low, high=high):
            return f"{name(field, plain)}:{low.text}..{high.text}"
        case FieldMatches(field=field, regex=pattern):
            return f"{name(field, plain)}:{regex(pattern)}"
        case FieldContains(field=field, text=part):
            return f"{name(field, plain)}~{text(Text(part))}"
        case FieldPresent(field=field):
            return f"{name(field, plain)}:*"
    raise TypeError(f"no text for {type(node).__name__}")


def field_value(value: Bare, op: str) -> str:
    """A value as it was typed, in quotes where the characters before it or behind it would change what it is."""
    typed = value.text
    is_odd = not PLAIN_VALUE.fullmatch(typed) or SLASHED.fullmatch(typed) is not None
    is_odd |= typed.startswith("//") if op == ":" else typed.startswith("*>")
    return text(Text(typed)) if is_odd else typed


def value_list(node: Node, plain: re.Pattern[str] = SEARCHED_NAME) -> str | None:
    """`field:(a or b)`, of terms that are alternatives for one field; None: the node is no such thing."""
    if not isinstance(node, Or):
        return None
    fields = {item.field.name for item in node.items if isinstance(item, FieldCompare | FieldRange | FieldMatches)}
    values = [list_item(item) for item in node.items]
    if len(fields) > 1 or not all(values):
        return None
    first = node.items[0]
    assert isinstance(first, FieldCompare | FieldRange | FieldMatches | FieldPresent)
    if not fields and len(node.items) > 1:
        return None
    return f"{name(first.field, plain)}:({' or '.join(filter(None, values))})"


def list_item(node: Node) -> str:
    """The value of a term as one of a list; nothing where it cannot be one."""
    match node:
        case FieldCompare(op=":", value=Text() as value):
            return text(value)
        case FieldCompare(op=":", value=Bare() as value):
            return field_value(value, "(") if "," not in value.text else ""
        case FieldRange(low=low, high=high) if "," not in low.text + high.text:
            return f"{low.text}..{high.text}"
        case FieldMatches(regex=pattern):
            return regex(pattern)
        case FieldPresent():
            return "*"
    return ""


def unequal(node: Node) -> str | None:
    """`field!=(a or b)` and `field!=/regex/`, of the terms that they are made of; None: the node is no such thing."""
    match node:
        case And(items=(FieldPresent(field=field), Not(item=FieldMatches(field=other, regex=pattern)))):
            return f"{name(field, SEARCHED_NAME)}!={regex(pattern)}" if field.name == other.name else None
        case And(items=(FieldPresent(field=field), Not(item=Or() as items))):
            found, start = value_list(items), name(field, SEARCHED_NAME) + ":"
            return f"{start[:-1]}!={found[len(start) :]}" if found and found.startswith(start + "(") else None
    return None


# ---- expressions ----------------------------------------------------------------------------------------------------


def expression(node: Node, around: int = OR) -> str:
    """A node of an expression, in parentheses where what is around binds tighter.

    >>> from .parser import parse
    >>> print(parse("|where not(a=1 or b like 'x') and (c+1)*2-3>5").stages[0].written())
    where not (a = 1 or b like 'x') and (c + 1) * 2 - 3 > 5
    """
    if (listed := value_list(node, PLAIN_NAME)) is not None:
        return listed
    binds, made = written(node)
    return enclosed(made, binds, around)


def written(node: Node) -> tuple[int, str]:
    """How tightly a node binds, and its text."""
    match node:
        case Or(items=items):
            return OR, " or ".join(expression(item, AND) for item in items)
        case And(items=items):
            return AND, " and ".join(expression(item, NOT) for item in items)
        case Not(item=item):
            return negated(item)
        case Compare(op=op, left=left, right=right):
            return COMPARISON, f"{expression(left, SUM)} {op} {expression(right, SUM)}"
        case In(item=item, values=values):
            return COMPARISON, f"{expression(item, SUM)} in ({listed(values)})"
        case InTable(item=item, table=table):
            return COMPARISON, f"{expression(item, SUM)} in {name(table)}"
        case IsNull(item=item):
            return COMPARISON, f"{expression(item, SUM)} is null"
        case Arithmetic(op=op, left=left, right=right):
            binds = SUM if op in "+-" else PRODUCT
            return binds, f"{expression(left, binds)} {op} {expression(right, binds + 1)}"
        case Negative(item=item):
            return UNARY, f"-{expression(item, UNARY)}"
        case Number(value=value):
            return (UNARY if value < 0 else PRIMARY), node.written or number(value)
        case Duration(ns=ns):
            return (UNARY if ns < 0 else PRIMARY), duration(ns)
        case Call(name=function, args=args):
            return PRIMARY, f"{function}({listed(args)})"
        case Saved(name=saved, args=args):
            return PRIMARY, f"`{escaped(saved, '`')}`({listed(args)})"
        case Parameter(name=parameter):
            return PRIMARY, f"${parameter}"
        case Name():
            return PRIMARY, name(node)
        case Text():
            return PRIMARY, text(node)
        case Regex():
            return PRIMARY, regex(node)
        case Constant(value=constant):
            return PRIMARY, {True: "true", False: "false", None: "null"}[constant]
        case Word(text=word):
            return PRIMARY, text(Text(word))
        case Everything():
            return PRIMARY, "true"
        case FieldCompare(op=op) if op != ":":
            return COMPARISON, searched(node)
    return PRIMARY, field_term(node, PLAIN_NAME)


def searched(node: FieldCompare) -> str:
    """A comparison of the search as one of values."""
    typed, value = node.value.text, None
    if isinstance(node.value, Bare) and node.field.name not in IDENTIFIERS:
        value = literals.number(typed)
        if value is None and literals.size(typed) is not None:
            return f"{name(node.field)} {node.op} {typed}"
    return f"{name(node.field)} {node.op} {text(Text(typed)) if value is None else number(value)}"


def negated(item: Node) -> tuple[int, str]:
    """The opposite of a node: with `not` inside where there is a form for it."""
    match item:
        case Compare(op=op, left=left, right=right) if op in OPERATORS:
            return COMPARISON, f"{expression(left, SUM)} not {op} {expression(right, SUM)}"
        case In(item=left, values=values):
            return COMPARISON, f"{expression(left, SUM)} not in ({listed(values)})"
        case InTable(item=left, table=table):
            return COMPARISON, f"{expression(left, SUM)} not in {name(table)}"
        case IsNull(item=left):
            return COMPARISON, f"{expression(left, SUM)} is not null"
    return NOT, f"not {expression(item, NOT)}"


def enclosed(made: str, binds: int, around: int) -> str:
    """In parentheses where what is around binds tighter; two of the same kind are not one."""
    return f"({made})" if binds < around else made


def listed(nodes: Sequence[Node]) -> str:
    """Expressions with commas."""
    return ", ".join(expression(node) for node in nodes)


# ---- what both are made of ------------------------------------------------------------------------------------------


def name(of: Name | str, plain: re.Pattern[str] = PLAIN_NAME) -> str:
    """A field, in backticks where it has to be.

    >>> name("http.status"), name("weird name"), name("by"), name("a-b"), name("a-b", SEARCHED_NAME)
    ('http.status', '`weird name`', '`by`', '`a-b`', 'a-b')
    """
    typed = of if isinstance(of, str) else of.name
    if plain.fullmatch(typed) and (plain is SEARCHED_NAME or typed.lower() not in RESERVED):
        return typed
    return f"`{escaped(typed, '`')}`"


def names(of: Sequence[Name]) -> str:
    """Fields with commas."""
    return ", ".join(name(one) for one in of)


def named(item: Named) -> str:
    """An expression, with `as` the name that it was given."""
    return expression(item.node) + as_name(item.name)


def as_name(given: str | None) -> str:
    """` as x`, if there is a name."""
    return f" as {name(given)}" if given is not None else ""


def keys(items: Sequence[Named]) -> str:
    """Expressions with their names, with commas."""
    return ", ".join(named(item) for item in items)


def by(items: Sequence[Name]) -> str:
    """` by a, b`, if there are some."""
    return f" by {names(items)}" if items else ""


def assigned(items: Sequence[Named]) -> str:
    """`x = 1, y = 2`."""
    return ", ".join(f"{name(item.name or '')} = {expression(item.node)}" for item in items)


def text(node: Text) -> str:
    r"""A text in its quotes.

    >>> print(text(Text('C:\\dir "x"\n')), text(Text("it's", exact=True)), text(Text("\\")))
    "C:\dir \"x\"\n" 'it\'s' "\\"
    """
    quote = "'" if node.exact else '"'
    return quote + escaped(node.text, quote) + quote


def escaped(typed: str, quote: str) -> str:
    """The inside of a text: a backslash is doubled only where it would take the next character with it."""
    special = {*ESCAPES, *ESCAPES.values(), ""}
    doubled = "".join(
        "\\\\" if letter == "\\" and typed[i + 1 : i + 2] in special else letter for i, letter in enumerate(typed)
    )
    return doubled.replace(quote, "\\" + quote).translate(INNER)


def regex(node: Regex) -> str:
    """A regular expression between its slashes."""
    return "/" + node.pattern.replace("/", "\\/") + "/" + "i" * node.ignore_case


def number(value: float) -> str:
    """A number; never in a way that the language has not.

    >>> number(5), number(2.0), number(0.00001), number(1e300)
    ('5', '2.0', '1e-05', '1e+300')
    """
    return repr(value)


def plain_number(value: float) -> str:
    """A number without an exponent, and without decimals where it is whole: for options.

    >>> plain_number(5.0), plain_number(0.00001)
    ('5', '0.00001')
    """
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def duration(ns: int) -> str:
    """A span of time in its largest units.

    >>> duration(5_400_000_000_000), duration(-250_000_000), duration(0), duration(7 * 86_400_000_000_000)
    ('1h30m', '-250ms', '0s', '7d')
    """
    rest, made = abs(ns), ""
    for unit, length in UNITS:
        amount, rest = divmod(rest, length)
        made += f"{amount}{unit}" * (amount > 0)
    return "-" * (ns < 0) + (made or "0s")
