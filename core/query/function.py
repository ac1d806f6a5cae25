"""The registry of scalar functions: a function is a decorated Python function in a module named `functions_…`.

It takes the call's arguments and gives its value; the decorator says how many arguments it has and documents it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .mistakes import did_you_mean
from .tree import Call, Mistake
from .value import Value

if TYPE_CHECKING:
    from .expressions import Arguments

MANY = 100
F = TypeVar("F", bound=Callable[..., Value])


@dataclass(frozen=True)
class Signature:
    """What the checker and the documentation know of a function. `usage` shows a call, `doc` says what it gives."""

    name: str
    usage: str
    doc: str
    least: int
    most: int
    run: Callable[[Arguments], Value]

    def check(self, call: Call) -> None:
        """Refuse a wrong number of arguments."""
        if not self.least <= len(call.args) <= self.most:
            count = (
                f"{self.least}"
                if self.least == self.most
                else f"{self.least} to {self.most}"
                if self.most < MANY
                else f"at least {self.least}"
            )
            raise Mistake(
                f"{self.name}() takes {count} argument{'s' * (count != '1')}, not {len(call.args)}",
                call.at,
                f"as in `{self.usage}`",
            )


def function(usage: str, least: int, most: int | None = None) -> Callable[[F], F]:
    """Make a function of the language: its name is what stands before the parenthesis in `usage`."""

    def mark(run: F) -> F:
        name = usage.split("(", maxsplit=1)[0]
        marks: list[Signature] = run.__dict__.setdefault("signatures", [])
        marks.append(Signature(name, usage, (run.__doc__ or "").strip(), least, least if most is None else most, run))
        return run

    return mark


@lru_cache(maxsize=1)
def functions() -> dict[str, Signature]:
    """All functions by name, those of other packages among them."""
    from .extensions import load_extensions

    return dict(sorted({**built_in_functions(), **load_extensions().functions}.items()))


@lru_cache(maxsize=1)
def built_in_functions() -> dict[str, Signature]:
    """Those of this package."""
    found = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.name.startswith("functions_"):
            module = importlib.import_module(f"{__package__}.{info.name}")
            for value in vars(module).values():
                for signature in getattr(value, "signatures", ()):
                    found[signature.name] = signature
    return dict(sorted(found.items()))


def find_function(call: Call) -> Callable[[Arguments], Value]:
    """The function that a call means.

    :raises Mistake: if there is none of that name, or it takes another number of arguments.
    """
    from .aggregate import find_aggregate

    signature = functions().get(call.name)
    if signature is None:
        if find_aggregate(call.name) is not None:
            raise Mistake(
                f"{call.name}() is an aggregate; it works on groups", call.at, f"as in `| stats {call.name}(…)`"
            )
        raise Mistake(f"no function `{call.name}`", call.at, did_you_mean(call.name, functions()))
    signature.check(call)
    return signature.run
