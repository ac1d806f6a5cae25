"""Lookup tables for the steps of pipelines: the newest versions, asked for once a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
import polars as pl

from ...plugins import RetryableError, Table
from ..query.lookup_store import Lookups
from ..query.lookups import Lookup
from ..storage.database import DATABASE_ERRORS, trouble

_EVERY_S = 1.0  # between two questions for the same tables
_WAIT_S = 2.0  # for an answer
_log = logging.getLogger(__name__)


class PipelineTables:
    """Reads the tables that steps need. With the database gone, those that were read before are used on."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._made: dict[tuple[int, str], tuple[Lookup, Table]] = {}
        self._known: dict[tuple[int, frozenset[str]], tuple[float, Mapping[str, Table]]] = {}
        self._missing: set[tuple[int, str]] = set()
        self._lock = anyio.Lock()

    async def of(self, project_id: int, names: Collection[str]) -> Mapping[str, Table]:
        """The newest versions of a project's tables, a second old at most, without those that there are not.

        :raises RetryableError: the database does not answer, and it has never been asked for them
        """
        if not names:
            return {}
        key = project_id, frozenset(names)
        if (fresh := self._fresh(key)) is not None:
            return fresh
        async with self._lock:
            if (fresh := self._fresh(key)) is not None:  # somebody else has asked meanwhile
                return fresh
            try:
                with anyio.fail_after(_WAIT_S):
                    found = await self._lookups.tables(project_id, names)
            except DATABASE_ERRORS as why:
                if key not in self._known:
                    told = ", ".join(sorted(names))
                    raise RetryableError(f"{trouble(why)}; the lookup tables {told} are not known") from why
                tables = self._known[key][1]
            else:
                tables = {name: self._table(project_id, name, lookup) for name, lookup in found.items()}
                self._tell(project_id, names, tables)
            self._known[key] = time.monotonic(), tables
            return tables

    async def foresee(self, project_id: int, names: Collection[str]) -> None:
        """Tell of those that are missing before any event comes; others that were missing are nobody's business now."""
        self._missing = {at for at in self._missing if at[1] in names}
        with suppress(RetryableError):
            await self.of(project_id, names)

    @property
    def warnings(self) -> list[str]:
        """The tables that steps asked for and that there are not."""
        return [
            f"there is no lookup table {name} in the project with the id {project_id}, which a pipeline reads: make it "
            f"with `cordwood lookup put {name} FILE`"
            for project_id, name in sorted(self._missing)
        ]

    def _fresh(self, key: tuple[int, frozenset[str]]) -> Mapping[str, Table] | None:
        known = self._known.get(key)
        return known[1] if known and time.monotonic() - known[0] < _EVERY_S else None

    def _table(self, project_id: int, name: str, lookup: Lookup) -> Table:
        made = self._made.get((project_id, name))
        if made is None or made[0] is not lookup:
            made = self._made[project_id, name] = lookup, Table(_frame(lookup))
        return made[1]

    def _tell(self, project_id: int, names: Collection[str], tables: Mapping[str, Table]) -> None:
        """Log what is missing, once."""
        for name in names:
            at = project_id, name
            if name in tables:
                self._missing.discard(at)
            elif at not in self._missing:
                self._made.pop(at, None)
                self._missing.add(at)
                _log.warning(
                    "there is no lookup table %s in the project with the id %d: events that need it get a parse_error; "
                    "make it with `cordwood lookup put %s FILE`", name, project_id, name,
                )  # fmt: skip


def tables_of(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Mapping[str, Table]:
    """Tables of rows as a test in the YAML writes them."""
    return {
        name: Table(pl.DataFrame(list(some), infer_schema_length=None, strict=False)) for name, some in rows.items()
    }


def _frame(lookup: Lookup) -> pl.DataFrame:
    frame = pl.from_arrow(lookup.data)
    assert isinstance(frame, pl.DataFrame)
    return frame.select(pl.col(own).alias(name) for name, (_, own) in lookup.columns.items())
