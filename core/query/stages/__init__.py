"""The stages, one module each: its rule of the grammar, its tree node, its checks, its SQL and its documentation.

A module of this package that has a `Stage` class with a `name` is a stage; nothing else has to be told. Other packages
add theirs by a hook (../extensions.py).
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ..stage import Stage


@lru_cache(maxsize=1)
def load_stages() -> dict[str, type[Stage]]:
    """All stages by the name that people type, in alphabetical order."""
    from ..extensions import load_extensions

    return dict(sorted({**built_in_stages(), **load_extensions().stages}.items()))


@lru_cache(maxsize=1)
def built_in_stages() -> dict[str, type[Stage]]:
    """Those of this package."""
    found: dict[str, type[Stage]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Stage) and value.__module__ == module.__name__:
                found[value.name] = value
    return dict(sorted(found.items()))
