"""Fields that have no column of their own in a segment: members of its `overflow`, found by their names.

The catalog does not list them, so any name that a query reads as a field may be one. Only such names are looked for:
an answer shows the others as they are kept, in `overflow`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...plugins.fields import OVERFLOW
from . import sql
from .prune import meaning
from .scope import STANDARD_KINDS, Schema
from .severity import severity_range
from .sql import Expr
from .tree import And, Compare, In, Name, Negative, Node, Not, Or, Query

KINDS = ("int", "float", "bool", "text", "json")
_MEMBERS = {
    "int": "CASE WHEN :t IN ('UBIGINT', 'BIGINT') THEN TRY_CAST(:s AS BIGINT) END",
    "float": "CASE WHEN :t = 'DOUBLE' AND NOT regexp_full_match(:s, '-?[0-9]+') THEN TRY_CAST(:s AS DOUBLE) END",
    "bool": "CASE WHEN :t = 'BOOLEAN' THEN :s = 'true' END",
    "text": "CASE WHEN :t = 'VARCHAR' THEN :s END",
    # Arrays, and numbers that fit no column: they look like whole ones.
    "json": "CASE WHEN :t IN ('ARRAY', 'OBJECT') OR (:t = 'DOUBLE' AND regexp_full_match(:s, '-?[0-9]+'))"
    " OR (:t = 'UBIGINT' AND TRY_CAST(:s AS BIGINT) IS NULL) THEN :s END",
}


def opened(query: Query, schema: Schema) -> frozenset[str]:
    """The names that the query reads as attributes, aliases left out."""
    names = {name for name in read_names(query) if meaning(name, schema) == name}
    return frozenset(names - STANDARD_KINDS.keys() - {OVERFLOW})


def with_members(schema: Schema, names: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The schema, in which these names may be of any kind."""
    kinds = {name: tuple(dict.fromkeys((*KINDS, *schema.get(name, ())))) for name in names}
    return {**schema, **kinds}


def read_names(query: Query) -> Iterator[str]:
    """The names in the query that can only be fields.

    One that stands alone as a condition may be a word of the message, one that a field is compared with a level.
    """
    heap: list[tuple[Node, bool]] = [(query.search, True)]
    heap += [(node, stage.name == "where") for stage in query.stages for node in stage.nodes()]
    while heap:
        node, is_condition = heap.pop()
        is_condition = is_condition and isinstance(node, Name | And | Or | Not | Negative)
        match node:
            case Name(name=name) if not is_condition:
                yield name
            case Compare(left=left, right=right):
                heap += [(child, False) for child in (left, right) if child is left or not _may_be_level(child)]
            case In(item=item, values=values):
                heap += [(child, False) for child in (item, *values) if child is item or not _may_be_level(child)]
            case _:
                heap += [(child, is_condition) for child in node.children()]


def _may_be_level(node: Node) -> bool:
    return isinstance(node, Name) and severity_range(node.name) is not None


def member(overflow: Expr, name: str, kind: str) -> Expr:
    """The value of a kind under this name in the object; null where it has none, or is no object."""
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    whole = sql.sql("CASE WHEN starts_with(:o, '{') THEN :o END", o=overflow)
    return sql.sql(
        _MEMBERS[kind],
        t=sql.call("json_type", whole, pointer),
        s=sql.call("json_extract_string", whole, pointer),
    )
