"""What settings of several sections have in common: names, a zone."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names: TypeAlias = Annotated[
    list[str],
    BeforeValidator(_one_or_many),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""Names, or one name that stands for a list of one."""


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write an IANA name such as Europe/Berlin") from None
    return text


Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]
"""Name of an IANA time zone."""
