"""The templates of `line_format` and `label_format`: text with `{{.label}}`, and some functions.

Go's templates can do more (conditions, loops, variables, arithmetic): that is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...core.query.tree import Call, Name, Node, Number, Text
from .parser import unquoted
from .tree import LogQLError, unsupported

ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
WORD = re.compile(r'\s*(\.[A-Za-z_]\w*|[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+|\|)')
MOST = 50  # actions of a template


def template(text: str, label: Callable[[str], Node]) -> Node:
    """The template as an expression; `label` gives the node of a label.

    :raises LogQLError: it is none, or does more than put labels in
    """
    parts: list[Node] = []
    done = 0
    for found in ACTION.finditer(text):
        if found.start() > done:
            parts.append(Text(text[done : found.start()]))
        done = found.end()
        parts.append(_action(found[1].strip(), label))
    if len(parts) > MOST:
        raise LogQLError(f"a template of more than {MOST} parts")
    if "{{" in text[done:]:
        raise LogQLError("the template has a {{ without its }}")
    if done < len(text) or not parts:
        parts.append(Text(text[done:]))
    return Call("concat", tuple(parts))


def _action(body: str, label: Callable[[str], Node]) -> Node:
    """`.label | function argument | …`; each function gets what is before it as its last argument."""
    words = _words(body)
    value: Node | None = None
    for command in _split(words):
        head, arguments = command[0], [_argument(word, label) for word in command[1:]]
        if value is not None:
            arguments.append(value)
        if head[0] in '."`' or head.lstrip("-").isdigit() or head == "__line__":
            if arguments:
                raise unsupported(f"{{{{{body[:60]}}}}}")
            value = _argument(head, label)
        else:
            value = _called(head, arguments, body)
    assert value is not None
    return value


def _words(body: str) -> list[str]:
    words, at = [], 0
    while body[at:].strip():
        found = WORD.match(body, at)
        if found is None:
            raise unsupported(f"{{{{{body[:60]}}}}} in a template", "labels and functions alone: {{.label | lower}}")
        words.append(found[1])
        at = found.end()
    return words


def _split(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    if not all(commands):
        raise LogQLError("an action of the template is empty")
    return commands


def _argument(word: str, label: Callable[[str], Node]) -> Node:
    if word[0] == ".":
        return label(word[1:])
    if word == "__line__":
        return Name("message")
    if word[0] in '"`':
        return Text(unquoted(word))
    if word.lstrip("-").isdigit():
        return Number(int(word))
    raise unsupported(f"{word} in a template", "labels and functions alone: {{.label | lower}}")


def _called(name: str, arguments: list[Node], body: str) -> Node:
    match name, arguments:
        case "ToLower" | "lower", [value]:
            return Call("lower", (value,))
        case "ToUpper" | "upper", [value]:
            return Call("upper", (value,))
        case "trim" | "TrimSpace", [value]:
            return Call("trim", (value,))
        case "default", [other, value]:
            return Call("coalesce", (value, other))
        case "trunc", [Number(value=length), value] if length > 0:
            return Call("substr", (value, Number(1), Number(length)))
        case "replace", [old, new, value]:
            return Call("replace", (value, old, new))
        case "Replace", [value, old, new, Number(value=-1)]:
            return Call("replace", (value, old, new))
    hint = "lower, upper, trim, default, trunc and replace are"
    raise unsupported(f"{{{{{body[:60]}}}}} in a template", hint)
