"""A search with its values hidden: what is kept of a deletion, whose values are what had to go."""

from __future__ import annotations

from .tree import (
    And,
    Compare,
    Constant,
    Everything,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    In,
    IsNull,
    Name,
    Node,
    Not,
    Or,
)  # fmt: skip

HIDDEN = "…"
SHOWN = {"severity", "level", "timestamp", "time"}
"""Fields whose values are nobody's."""


def masked(node: Node) -> str:
    """The search with the names of its fields and with `…` for each value but levels and times.

    >>> from .parser import parse
    >>> masked(parse('checkout user:ada -(severity>=error or ip in ("10.0.0.1"))').search)
    '… and user:… and not (severity>=error or (ip:…))'
    """
    match node:
        case Everything():
            return "*"
        case And(items=items):
            return " and ".join(_grouped(item) for item in items)
        case Or(items=items):
            return " or ".join(_grouped(item) for item in items)
        case Not(item=item):
            return f"not {_grouped(item)}"
        case FieldPresent(field=field):
            return f"{field.name}:*"
        case FieldCompare(field=field, op=op, value=value):
            return f"{field.name}{op}{value.text if field.name in SHOWN else HIDDEN}"
        case FieldRange(field=field, low=low, high=high):
            return (
                f"{field.name}:{low.text}..{high.text}" if field.name in SHOWN else f"{field.name}:{HIDDEN}..{HIDDEN}"
            )
        case FieldMatches(field=field):
            return f"{field.name}:/{HIDDEN}/"
        case FieldContains(field=field):
            return f"{field.name}~{HIDDEN}"
        case Compare(op=op, left=Name(name=name)):
            return f"{name}{op}{HIDDEN}"
        case In(item=Name(name=name)):
            return f"{name} in ({HIDDEN})"
        case IsNull(item=Name(name=name)):
            return f"{name} is null"
        case Constant():
            return "true" if node.value else "false"
    return HIDDEN


def _grouped(node: Node) -> str:
    text = masked(node)
    return f"({text})" if isinstance(node, And | Or) else text
