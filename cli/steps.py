"""A step of a pipeline file, as `tap` and `try` take its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..config import Config

STORE: Final = -1
"""The edge into the store, as `core.runtime.taps` has it."""


def edge(config: Config, step: str) -> tuple[str, int]:
    """(pipeline, step after which) that the text names.

    :raises InputError: it names none, or several
    """
    from .exits import InputError

    names = list(config.pipelines)
    name, dot, rest = step.partition(".") if step.partition(".")[0] in names else ("", "", step)
    if not name:
        if len(names) != 1:
            listed = ", ".join(names) or "none"
            raise InputError(f"which pipeline? Write NAME or NAME.STEP; the file has {listed}")
        name = names[0]
    if not rest:
        if dot:
            raise InputError(f"{step}: a step is missing after the dot")
        return name, STORE
    types = [one.type for one in config.pipelines[name].parse]
    if rest.isascii() and rest.isdigit() and int(rest) <= len(types):
        return name, int(rest)
    if types.count(rest) == 1:
        return name, types.index(rest) + 1
    steps = ", ".join(f"{number} {type_}" for number, type_ in enumerate(types, 1)) or "none"
    raise InputError(f"{rest[:60]!r} is no one step of {name}; its steps are: {steps}")
