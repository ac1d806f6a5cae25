"""`parse`: take fields out of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from msgspec import structs
from sqlglot import exp

from .. import printer, sql
from ..build import regex_of, text_of
from ..extract import FORMATS, Capture, captures_of_pattern, captures_of_regex, checked
from ..relation import Relation
from ..scope import STANDARD_KINDS, lookup
from ..stage import Stage
from ..tree import Mistake, Name, Node, Place, Regex, Text
from ..value import Value, as_text, choose, present

MESSAGE = Name("message")


class Parse(Stage, frozen=True, kw_only=True):
    """Adds columns with what a pattern, a regular expression or a format finds in a text."""

    name = "parse"
    GRAMMAR = (
        "parse: PARSE (parse_pattern | parse_regex | parse_format) [_PARSE_FROM name]\n"
        "parse_pattern: STRING | EXACT\n"
        "parse_regex: REGEX\n"
        'parse_format: PARSE_FORMAT ["(" parse_field ("," parse_field)* ")"]\n'
        'parse_field: name [":" PARSE_TYPE]\n'
        "_PARSE_FROM.9: /from(?=[\\s`])/i\n"
        "PARSE_FORMAT.9: /(?:json|logfmt|kv|csv)(?![\\w.])/i\n"
        "PARSE_TYPE.9: /(?:text|int|float)(?![\\w.])/i"
    )
    DOC = """Adds columns with what is found in the message, or in the field after `from`; null where nothing is.
    In a pattern `<name>` is the shortest text up to what follows, at the end the rest of the line; `<name:int>` and
    `<name:float>` are numbers, `<_>` is left out. Regular expressions name their groups. Of the formats the wanted
    fields are listed: for json paths, for logfmt and kv keys, for csv the columns in their order. Without a list json,
    logfmt and kv give what the stages behind name, up to the first that aggregates; of the fields that every event has
    (message, service …) and of events whose text lacks it the value stays.

        | parse "user=<user> amount=<amount:float>"
        | parse /status=(?P<code>\\d+)/
        | parse json (user.name, took:float) from payload
        | parse csv (day, shop, price:float)
        | parse json | where took > 500 | stats count() by user.name
    """
    keeps_events = True

    how: str
    pattern: Node | None = None
    fields: tuple[Capture, ...] = ()
    source: Name = MESSAGE
    is_open: bool = False
    written_as: Text | None = None
    """The pattern before it became a regular expression."""

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        how, source = children
        source = source or MESSAGE
        token = how.children[0]
        if how.data == "parse_pattern":
            text = text_of(token)
            regex, fields = captures_of_pattern(text.text, text.at)
            pattern = Regex(regex, at=text.at)
            return cls(how="pattern", pattern=pattern, fields=fields, source=source, written_as=text, at=at)
        if how.data == "parse_regex":
            expression = regex_of(token)
            fields = captures_of_regex(expression.pattern, expression.at)
            return cls(how="regex", pattern=expression, fields=fields, source=source, at=at)
        found: list[Capture] = []
        listed = [child for child in how.children[1:] if child is not None]
        if not listed and token.lower() == "csv":
            raise Mistake(
                "csv has no names of its own", at, "list its columns, as in `parse csv (day, shop, price:float)`"
            )
        for child in listed:
            name, type_ = child.children
            found.append(Capture(name.name, str(type_ or "text").lower(), len(found)))
        names = [field.name for field in found]
        if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
            raise Mistake(f"`{twice}` is there twice", at)
        return cls(how=str(token).lower(), fields=tuple(found), source=source, is_open=not listed, at=at)

    def placed_before(self, stages: Sequence[Stage]) -> Self:
        if not self.is_open:
            return self
        end = next((i + 1 for i, stage in enumerate(stages) if not stage.gives_events()), len(stages))
        names = (
            node.name
            for stage in stages[:end]
            for top in stage.nodes()
            for node in top.walk()
            if isinstance(node, Name) and node.name not in STANDARD_KINDS
        )
        found = [Capture(name, "text", i) for i, name in enumerate(dict.fromkeys(names))]
        return structs.replace(self, fields=checked(found, self.at) if found else ())

    def written(self) -> str:
        match self.how:
            case "pattern" if self.written_as is not None:
                what = printer.text(self.written_as)
            case "regex" if isinstance(self.pattern, Regex):
                what = printer.regex(self.pattern)
            case _:
                what = self.how + (f" ({', '.join(map(listed, self.fields))})" if not self.is_open else "")
        source = f" from {printer.name(self.source)}" if self.source.name != MESSAGE.name else ""
        return f"parse {what}{source}"

    def apply(self, relation: Relation) -> Relation:
        if not self.fields:
            raise Mistake("no later stage names a field to take out of the text", self.at,
                          "name it there, or list it, as in `parse json (user.name, took:float)`")  # fmt: skip
        value = lookup(relation, self.source)
        text = as_text(value)
        if not isinstance(text, exp.Column):  # once, not for each of the fields
            relation, text = relation.computed(text, "text")
        made: dict[str, Value] = {}
        for field in self.fields:
            if isinstance(self.pattern, Regex):
                options = "i" if self.pattern.ignore_case else "c"
                found = sql.sql("NULLIF(:e, '')", e=sql.call("regexp_extract", text, self.pattern.pattern, field.place,
                                                             options))  # fmt: skip
            else:
                found = FORMATS[self.how](text, field)
            made[field.name] = field.typed(found)
            if self.is_open and (there := relation.field(field.name)) is not None:
                made[field.name] = choose(present(made[field.name]), made[field.name], there)
        return relation.with_columns(made)


def listed(field: Capture) -> str:
    """A field of a format's list."""
    return printer.name(field.name) + (f":{field.type}" if field.type != "text" else "")
