"""Events as an incident keeps them: few, small, and such that PostgreSQL takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

MAX_SAMPLES = 5
MAX_BYTES = 4_096  # of one event's JSON: five of them must fit into a message that people read
_FIRST = ("timestamp", "severity", "service", "host", "message")


def bounded(event: Mapping[str, Any], limit: int = MAX_BYTES) -> dict[str, Any]:
    """The event with long texts cut until its JSON has at most `limit` bytes; what still does not fit is left out.

    >>> len(msgspec.json.encode(bounded({"message": "x" * 9000, "a": 1}))) <= 4096, bounded({"a": 1})
    (True, {'a': 1})
    """
    cut = dict(event)
    for longest in (2_048, 512, 128, 32):
        if len(msgspec.json.encode(cut)) <= limit:
            return cut
        cut = {
            key: f"{value[:longest]}…" if isinstance(value, str) and len(value) > longest else value
            for key, value in cut.items()
        }
    kept: dict[str, Any] = {}
    for key in sorted(cut, key=lambda key: key not in _FIRST):
        if len(msgspec.json.encode(kept | {key: cut[key]})) <= limit:
            kept[key] = cut[key]
    return kept


def storable(value: Any) -> Any:
    r"""The JSON value as PostgreSQL can keep it: neither text nor jsonb takes the character NUL.

    >>> storable({"a": ["x\x00y", 1]})
    {'a': ['x\ufffdy', 1]}
    """
    if isinstance(value, str):
        return value.replace("\x00", "�")
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [storable(item) for item in value]
    return value
