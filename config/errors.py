"""All errors of one configuration, and the search for the name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ..plugins import ConfigError


class ConfigErrors(ConfigError):  # noqa: N818 - many errors
    """Everything that is wrong with a file, in the order of the file: `errors` has at least one."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda e: (e.file, e.line, e.column)))
        first = self.errors[0]
        super().__init__(first.message, file=first.file, line=first.line, column=first.column, hint=first.hint)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the known name most like this one, or all of them; empty where nothing is known."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else ""
