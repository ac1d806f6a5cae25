"""What is written under a setting, read from the source once somebody asks for it.

Pydantic would read it for every class at its import: a tenth of the CPU of a start, and more of each command's.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class Described:
    """Put before BaseModel: a model whose JSON Schema describes each field by the docstring under it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        assert issubclass(cls, BaseModel)
        for name, text in descriptions(cls).items():
            known = properties.get(cls.model_fields[name].alias or name)
            if known is not None:
                known["description"] = text
        return made


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Field → its description: `Field(description=…)`, else the docstring; fields that have none are left out."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel):
            found |= _docstrings(base.__module__).get(base.__qualname__, {})
    found |= {name: field.description for name, field in model.model_fields.items() if field.description}
    return {name: found[name] for name in model.model_fields if name in found}


@cache
def _docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """Qualified name of a class → attribute → the docstring under it; empty where the module has no source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return {}
    return dict(_classes(tree.body, ""))


def _classes(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = f"{prefix}{statement.name}"
            yield name, dict(_attributes(statement.body))
            yield from _classes(statement.body, f"{name}.")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(statement.body, f"{prefix}{statement.name}.<locals>.")


def _attributes(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for attribute, after in pairwise(body):
        if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name):
            match after:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield attribute.target.id, inspect.cleandoc(text)
