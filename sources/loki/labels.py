"""A stream's labels, written as in LogQL: `{app="shop", env="prod"}`."""

from __future__ import annotations

import re

from ..protobuf import WireError

MAX_LABELS = 16 * 1024
"""Bytes of a stream's labels; Loki itself takes 15 labels of 3 KiB at most."""
_LABEL = re.compile(r'\s*([A-Za-z_][\w.:-]*)\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*(?:,|(?=\})|$)', re.DOTALL)


def read_labels(text: str) -> dict[str, str]:
    """The labels of `{app="shop", env="a\\"b"}`.

    >>> read_labels('{app="shop", path="C:\\\\\\\\x"}')
    {'app': 'shop', 'path': 'C:\\\\x'}

    :raises WireError: it is no such thing
    """
    inner = text.strip()
    if len(inner) > MAX_LABELS or not (inner.startswith("{") and inner.endswith("}")):
        raise WireError(f"{text[:80]!r} are no labels")
    inner = inner[1:-1]
    found: dict[str, str] = {}
    at = 0
    while inner[at:].strip():
        match = _LABEL.match(inner, at)
        if match is None:
            raise WireError(f"{text[:80]!r} are no labels")
        quoted = match[2]
        found[match[1]] = quoted[1:-1] if quoted[0] == "`" else _unquoted(quoted[1:-1])
        at = match.end()
    return found


_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def _unquoted(text: str) -> str:
    """A Go string without its quotes."""

    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            code = int(escape[1:], 16)
            return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        return _SIMPLE.get(escape, escape)

    return _ESCAPE.sub(one, text) if "\\" in text else text
