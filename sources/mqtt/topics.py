"""Topic filters as the settings write them, whose named levels become fields: `sensors/{device}/{kind}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...plugins import STANDARD, clean_name

_NAMED = re.compile(r"\{([^{}]*)\}")
_ALLOWED = ("service", "host", "trace_id", "span_id")  # standard fields that are plain text
_MOST = 65_535  # bytes of a topic


@dataclass(frozen=True, slots=True)
class Topic:
    """A filter: what is subscribed to, its levels without `$share/GROUP/`, and the fields that they become."""

    filter: str
    levels: tuple[str, ...]
    names: tuple[str | None, ...]

    @classmethod
    def of(cls, text: str) -> Topic:
        """Read a filter. `{name}` stands for one level, as `+` does.

        :raises ValueError: it is none
        """
        levels, names = [], []
        for level in text.split("/"):
            found = _NAMED.fullmatch(level)
            if found is None and set("{}") & set(level):
                raise ValueError(f"{text!r}: a name takes a whole level, as in sensors/{{device}}/state")
            names.append(_field(text, found[1]) if found else None)
            levels.append("+" if found else level)
        shared = text.startswith("$share/")
        own = levels[2:] if shared else levels
        if shared and (len(levels) < 3 or not levels[1] or set("+#") & set(levels[1])):
            raise ValueError(f"{text!r}: a shared subscription is $share/GROUP/FILTER")
        if any(set("+#") & set(level) and len(level) > 1 for level in own) or "#" in own[:-1]:
            raise ValueError(f"{text!r}: + stands for a whole level, and # for all levels at the end")
        filter_ = "/".join(levels)
        if not "".join(own) or "\0" in filter_ or len(filter_.encode()) > _MOST:
            raise ValueError(f"{text!r} is no topic filter")
        return cls(filter_, tuple(own), tuple(names[2:] if shared else names))

    def fields(self, topic: str) -> Mapping[str, str] | None:
        """The named levels of a topic; None: the filter does not match it.

        >>> Topic.of("sensors/{device}/#").fields("sensors/a/b/c"), Topic.of("a/+").fields("a/b/c")
        ({'device': 'a'}, None)
        """
        levels = topic.split("/")
        rest = self.levels[-1] == "#"
        own = self.levels[:-1] if rest else self.levels
        if len(levels) < len(own) or (len(levels) > len(own) and not rest):
            return None
        if topic.startswith("$") and own[:1] != (levels[0],):
            return None  # a wildcard at the beginning is for the topics of users alone
        if any(wanted not in ("+", level) for wanted, level in zip(own, levels, strict=False)):
            return None
        return {name: level for name, level in zip(self.names, levels, strict=False) if name}


def _field(text: str, name: str) -> str:
    if not name or clean_name(name) != name:
        raise ValueError(f"{text!r}: {name!r} is no name of a field")
    if name in STANDARD and name not in _ALLOWED:
        raise ValueError(f"{text!r}: a level cannot be the field {name}; of the standard fields {', '.join(_ALLOWED)}")
    return name
