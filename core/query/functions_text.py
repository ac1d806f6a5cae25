"""Functions of texts. Positions count from 1, lengths are in characters (code points)."""

from __future__ import annotations

from . import sql
from .expressions import Arguments
from .function import MANY, function
from .sql import Expr
from .tree import Mistake, Number, Regex, Text
from .value import Value, one


def whole(args: Arguments, i: int) -> Expr:
    """The argument as a whole number."""
    number = args.number(i)
    if number.is_null:
        return sql.NULL.copy()
    return sql.cast(next(iter(number.kinds.values())), "BIGINT")


@function("lower(service)", 1)
def lower(args: Arguments) -> Value:
    """The text in lower case."""
    return one("text", sql.sql("lower(:x)", x=args.text(0)))


@function("upper(service)", 1)
def upper(args: Arguments) -> Value:
    """The text in upper case."""
    return one("text", sql.sql("upper(:x)", x=args.text(0)))


@function("trim(message)", 1)
def trim(args: Arguments) -> Value:
    """The text without white space at its ends."""
    return one("text", sql.call("trim", args.text(0), " \t\r\n"))


@function("length(message)", 1)
def length(args: Arguments) -> Value:
    """The number of characters."""
    return one("int", sql.sql("length(:x)", x=args.text(0)))


@function("substr(message, 1, 20)", 2, 3)
def substr(args: Arguments) -> Value:
    """The part that begins at a position (from 1; negative: from the end), of a length or to the end."""
    rest = [whole(args, 2)] if len(args) > 2 else []
    return one("text", sql.call("substring", args.text(0), whole(args, 1), *rest))


@function('replace(path, "/api", "")', 3)
def replace(args: Arguments) -> Value:
    """The text with every occurrence of one text, or match of a /regular expression/, replaced by another."""
    if isinstance(pattern := args.node(1), Regex):
        options = "gi" if pattern.ignore_case else "g"
        return one("text", sql.call("regexp_replace", args.text(0), pattern.pattern, args.text(2), options))
    return one("text", sql.call("replace", args.text(0), args.text(1), args.text(2)))


@function('split(path, "/", 2)', 3)
def split(args: Arguments) -> Value:
    """The n-th part (from 1; negative: from the end) between separators."""
    return one("text", sql.call("split_part", args.text(0), args.text(1), whole(args, 2)))


@function('concat(service, "@", host)', 1, MANY)
def concat(args: Arguments) -> Value:
    """All arguments as one text; null counts as an empty one."""
    return one("text", sql.call("concat", *(args.text(i) for i in range(len(args)))))


@function("extract(message, /user=(\\w+)/)", 2, 3)
def extract(args: Arguments) -> Value:
    """What the expression matches: its first group, the group of that number, or, without groups, all; else null."""
    pattern, group = args.node(1), args.node(2) if len(args) > 2 else None
    if not isinstance(pattern, Regex | Text):
        raise Mistake("extract() takes a /regular expression/", pattern.at)
    regex = pattern.pattern if isinstance(pattern, Regex) else pattern.text
    if group is not None and not (
        isinstance(group, Number) and isinstance(group.value, int) and 0 <= group.value < 100
    ):
        raise Mistake("the group must be a whole number", group.at)
    has_groups = "(" in regex.replace("(?:", "").replace(r"\(", "")
    number = group.value if isinstance(group, Number) else 1 if has_groups else 0
    options = "i" if isinstance(pattern, Regex) and pattern.ignore_case else "c"
    return one("text", sql.sql("CASE WHEN :m THEN :e END", m=sql.call("regexp_matches", args.text(0), regex, options),
                               e=sql.call("regexp_extract", args.text(0), regex, int(number), options)))  # fmt: skip


@function('json(payload, "$.user.name")', 2)
def json(args: Arguments) -> Value:
    """The value at a JSON path as text; null where there is none, or the text is no JSON."""
    path = args.node(1)
    if not isinstance(path, Text) or not path.text.startswith("$"):
        raise Mistake('the path must be a text such as "$.a.b"', path.at)
    return one(
        "text",
        sql.sql(
            "CASE WHEN json_valid(:x) THEN :e END",
            x=args.text(0),
            e=sql.call("json_extract_string", args.text(0), path.text),
        ),
    )


@function("hash(user)", 1)
def hash_(args: Arguments) -> Value:
    """A fingerprint of the text (SHA-256), as hexadecimal text."""
    return one("text", sql.call("sha256", args.text(0)))


@function('startswith(path, "/api")', 2)
def startswith(args: Arguments) -> Value:
    """Whether the text begins with another."""
    return one("bool", sql.call("starts_with", args.text(0), args.text(1)))


@function('endswith(path, ".php")', 2)
def endswith(args: Arguments) -> Value:
    """Whether the text ends with another."""
    return one("bool", sql.call("suffix", args.text(0), args.text(1)))


@function('contains(message, "timeout")', 2)
def contains(args: Arguments) -> Value:
    """Whether the text contains another, ignoring case."""
    return one("bool", sql.sql("contains(lower(:x), lower(:y))", x=args.text(0), y=args.text(1)))


@function("url_host(url)", 1)
def url_host(args: Arguments) -> Value:
    """The host of a URL."""
    return one(
        "text",
        sql.sql(
            "NULLIF(regexp_extract(:x, '^[a-zA-Z][a-zA-Z0-9+.-]*://([^/?#@]*@)?([^/?#:]+|\\[[^\\]]*\\])', 2), '')",
            x=args.text(0),
        ),
    )


@function("url_path(url)", 1)
def url_path(args: Arguments) -> Value:
    """The path of a URL, without its query."""
    return one(
        "text", sql.sql("regexp_extract(:x, '^([a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)?([^?#]*)', 2)", x=args.text(0))
    )


@function('url_param(url, "page")', 2)
def url_param(args: Arguments) -> Value:
    """A parameter of a URL's query, as it is written there; null where it is missing."""
    name = args.node(1)
    if not isinstance(name, Text):
        raise Mistake("the parameter must be a text", name.at)
    literal = "".join(f"\\{letter}" if not letter.isalnum() and letter.isascii() else letter for letter in name.text)
    return one("text", sql.sql("NULLIF(regexp_extract(:x, :r, 1), '')", x=args.text(0), r=f"[?&]{literal}=([^&#]*)"))


@function('format("{} at {}", user, host)', 1, MANY)
def format_(args: Arguments) -> Value:
    """The first text with each {} replaced by the next argument."""
    pattern = args.node(0)
    if not isinstance(pattern, Text) or pattern.text.count("{}") != len(args) - 1:
        raise Mistake("format() takes a text with as many {} as there are further arguments", args.call.at)
    parts: list[Expr] = []
    for i, part in enumerate(pattern.text.split("{}")):
        parts += [args.text(i)] if i else []
        parts.append(sql.text(part))
    return one("text", sql.call("concat", *parts))
