"""The grammar as a whole: grammar.lark, and of each stage its rule and its keyword."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lark import Lark, Transformer

from .stage import Stage


def parser_of(stages: Mapping[str, type[Stage]], transformer: Transformer[Any, Any] | None = None) -> Lark:
    """The parser of the language with these stages; building its tables takes some 100 ms.

    :raises lark.exceptions.LarkError: the rule of a stage is none, or collides with another
    """
    rules = "\n".join(stage.GRAMMAR for stage in stages.values())
    keywords = "\n".join(f"{name.upper()}.9: /{name}(?![\\w.])/i" for name in stages)
    choice = "?stage: " + " | ".join(sorted(stages))
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        "\n".join((grammar, choice, rules, keywords)),
        parser="lalr",
        lexer="contextual",
        transformer=transformer,
        maybe_placeholders=True,
    )
