"""What `parse` looks for in a text: captures of a pattern or regular expression, and the fields of text formats."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from . import sql
from .sql import Expr
from .tree import Mistake, Place
from .value import Value, one

HOLE = re.compile(r"<([A-Za-z_][\w.]*|_|\*)(?::(\w*))?>")
TYPES = {"text": "(.*?)", "int": r"([+-]?\d+)", "float": r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"}
GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P?<([A-Za-z_]\w*)>|(\?)?)", re.DOTALL)
MOST = 100  # fields of one parse; each costs a pass over the text


class Capture(msgspec.Struct, frozen=True):
    """A field that is looked for. `place` is the regular expression's group, or the column of a CSV line, from 0."""

    name: str
    type: str
    place: int

    def typed(self, text: Expr) -> Value:
        """The found text as a value of the field's type; null where it is no number."""
        if self.type == "text":
            return one("text", text)
        return one(self.type, sql.sql(f"TRY_CAST(:x AS {'BIGINT' if self.type == 'int' else 'DOUBLE'})", x=text))


def escaped(text: str) -> str:
    """The text as a regular expression of RE2.

    >>> escaped("a.b[é]")
    'a\\\\.b\\\\[é\\\\]'
    """
    return re.sub(r"([^\w\s]|_)", lambda match: f"\\{match[1]}" if match[1].isascii() and match[1] != "_" else match[1],
                  text)  # fmt: skip


def captures_of_pattern(pattern: str, at: Place) -> tuple[str, tuple[Capture, ...]]:
    """The regular expression that a pattern with `<name:type>` holes means, and its groups.

    :raises Mistake: where a type is unknown, a name is there twice, or there is no hole.

    >>> captures_of_pattern("took <ms:int>ms", Place())
    ('took ([+-]?\\\\d+)ms', (Capture(name='ms', type='int', place=1),))
    """
    regex, done = "", 0
    fields: list[Capture] = []
    for match in HOLE.finditer(pattern):
        name, type_ = match[1], match[2] if match[2] is not None else "text"
        if type_ not in TYPES:
            raise Mistake(f"no type `{type_}`", at, "types: text, int, float")
        regex += escaped(pattern[done : match.start()])
        done = match.end()
        body = TYPES[type_]
        if type_ == "text" and done == len(pattern):
            body = "(.*)"
        if name in ("_", "*"):
            regex += f"(?:{body[1:-1]})"
            continue
        fields.append(Capture(name, type_, len(fields) + 1))
        regex += body
    return regex + escaped(pattern[done:]), checked(fields, at, "as in `user=<user> took <ms:int>ms`")


def captures_of_regex(pattern: str, at: Place) -> tuple[Capture, ...]:
    """The named groups of a regular expression.

    :raises Mistake: where there is none, or one is there twice.

    >>> captures_of_regex(r"(a)\\(([(])(?:x)(?P<b>.)", Place())
    (Capture(name='b', type='text', place=3),)
    """
    fields: list[Capture] = []
    number = 0
    for match in GROUP.finditer(pattern):
        if match[0][0] != "(" or match[2]:
            continue
        number += 1
        if match[1]:
            fields.append(Capture(match[1], "text", number))
    return checked(fields, at, "as in /status=(?P<code>\\d+)/")


def named_as_re2_does(pattern: str) -> str:
    """The regular expression with `(?P<name>…)` where it has `(?<name>…)`, which most other languages write.

    >>> named_as_re2_does(r"(?<a>x)\\(?<b>[(?<c>]")
    '(?P<a>x)\\\\(?<b>[(?<c>]'
    """
    return GROUP.sub(lambda found: f"(?P<{found[1]}>" if found[1] else found[0], pattern)


def checked(fields: list[Capture], at: Place, hint: str = "") -> tuple[Capture, ...]:
    """The fields, if there are some, not too many, each once."""
    names = [field.name for field in fields]
    if not names:
        raise Mistake("nothing here has a name", at, hint)
    if len(names) > MOST:
        raise Mistake(f"more than {MOST} fields", at)
    if len(set(names)) < len(names):
        raise Mistake(f"`{next(name for name in names if names.count(name) > 1)}` is there twice", at)
    return tuple(fields)


def first_of(text: Expr, regex: str, *, unquote: str = "") -> Expr:
    """The first group, which is in quotes, or the second; null where both are empty."""
    quoted: Expr = sql.call("regexp_extract", text, regex, 1)
    if unquote:
        quoted = sql.call("replace", quoted, unquote, '"')
    return sql.sql("NULLIF(concat(:a, :b), '')", a=quoted, b=sql.call("regexp_extract", text, regex, 2))


def of_json(text: Expr, field: Capture) -> Expr:
    """The value at a path of names; a name that has dots itself is found too."""
    steps = "".join('."' + name.replace('"', '\\"') + '"' for name in field.name.split("."))
    whole = '$."' + field.name.replace('"', '\\"') + '"'
    found = sql.call("json_extract_string", text, whole)
    if "." in field.name:
        found = sql.sql("COALESCE(:a, :b)", a=found, b=sql.call("json_extract_string", text, f"${steps}"))
    return sql.sql("CASE WHEN json_valid(:x) THEN :e END", x=text, e=found)


def of_logfmt(text: Expr, field: Capture) -> Expr:
    """`key=value`, or `key="value with spaces"`, between white space."""
    return first_of(text, rf'(?:^|\s){escaped(field.name)}=(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*))', unquote='\\"')


def of_kv(text: Expr, field: Capture) -> Expr:
    """`key=value` or `key: value`, separated by white space, commas, semicolons or `&`."""
    return first_of(text, rf'(?:^|[\s,;&?|{{(\[]){escaped(field.name)}\s*[=:]\s*(?:"([^"]*)"|([^\s,;&"|)}}\]]+))')


def of_csv(text: Expr, field: Capture) -> Expr:
    """The value of a column; in quotes it may hold commas, and quotes doubled."""
    one_value = r'(?:"(?:[^"]|"")*"|[^,"][^,]*|)'
    return first_of(text, rf'^(?:{one_value},){{{field.place}}}(?:"((?:[^"]|"")*)"|([^,"][^,]*)|)', unquote='""')


FORMATS: dict[str, Callable[[Expr, Capture], Expr]] = {
    "json": of_json,
    "logfmt": of_logfmt,
    "kv": of_kv,
    "csv": of_csv,
}
