"""What every event that a search finds must have: one of some phrases in its message, one of some values in a field.

Known of hundreds of searches, it tells which of them can have found something, before any is asked. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .literals import lower
from .prune import is_one_text, meaning
from .scope import STANDARD_KINDS, TEMPLATE, Schema
from .tree import And, FieldCompare, Node, Or, Text, Word

Pairs: TypeAlias = frozenset[tuple[str, str]]
"""Fields with values."""
_NONE: Pairs = frozenset()


def needles(node: Node) -> frozenset[str] | None:
    """Phrases, in small letters, one of which is in every message that the search finds; None: none are known.

    >>> from cordwood.core.query.parser import parse
    >>> sorted(needles(parse('service:web (refused or "timed out")').search)), needles(parse("status:500 or x").search)
    (['refused', 'timed out'], None)
    """
    match node:
        case Word(text=text) | Text(text=text) if text and text.isprintable():
            return frozenset({lower(text)})
        case And(items=items):
            known = [found for item in items if (found := needles(item)) is not None]
            return min(known, key=len) if known else None
        case Or(items=items):
            each = [needles(item) for item in items]
            return None if any(found is None for found in each) else frozenset().union(*filter(None, each))
    return None


def values(node: Node, field_of: Callable[[str], str | None]) -> tuple[Pairs, ...]:
    """Fields with values: every event that the search finds has one of each of these sets.

    :param field_of: the field that a name means; None: its values are not told apart.

    >>> from cordwood.core.query.parser import parse
    >>> [sorted(one) for one in values(parse("service:web (code=b or code=c) x").search, str)]
    [[('service', 'web')], [('code', 'b'), ('code', 'c')]]
    >>> values(parse("service:web or x").search, str)
    ()
    """
    match node:
        case FieldCompare(field=name, op=op, value=literal) if is_one_text(op, literal):
            field = field_of(name.name)
            return () if field is None else (frozenset({(field, literal.text)}),)
        case And(items=items):
            return tuple(one for item in items for one in values(item, field_of))
        case Or(items=items):
            each = [values(item, field_of) for item in items]
            return (_NONE.union(*(min(one, key=len) for one in each)),) if all(each) else ()
    return ()


def text_field(name: str, schema: Schema) -> str | None:
    """The field that a name means, if all its values are texts.

    >>> text_field("service", {}), text_field("code", {"code": ("int", "text")}), text_field("level", {})
    ('service', None, None)
    """
    field = meaning(name, schema)
    if field == TEMPLATE:
        return None
    kinds = schema.get(field, (STANDARD_KINDS[field],) if field in STANDARD_KINDS else ())
    return field if set(kinds) <= {"text"} else None
