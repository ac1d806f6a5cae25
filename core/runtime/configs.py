"""Loads a YAML file with its queries checked by the query language."""

from __future__ import annotations

from pathlib import Path

from ...config import Config, load
from ...plugins import Registry


def load_checked(path: Path | None, registry: Registry) -> Config:
    """The configuration in the file, or the one that runs without a file.

    :raises ConfigErrors: everything that is wrong with it
    """
    from ..query import BatchFilter, BatchValues, check
    from ..recordings import check_recording

    def check_query(text: str) -> None:
        check(text)

    def check_when(text: str) -> None:
        BatchFilter(text)

    def check_expression(text: str) -> None:
        BatchValues({"value": text})

    def check_figure(text: str) -> None:
        check(text)
        check_recording(text)

    if path is None:
        return Config.default(registry)
    return load(
        path,
        registry,
        check_query=check_query,
        check_when=check_when,
        check_recording=check_figure,
        check_expression=check_expression,
    )
