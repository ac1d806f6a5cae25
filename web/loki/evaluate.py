"""An expression over series, evaluated: each range aggregation is one query, the rest is arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.query import QueryEngine, QueryRequest, QueryStats
from ...plugins import in_worker
from . import vectors
from .labels import Labels
from .samples import ADDITIVE, Moments, plan_samples, sample_request, windows
from .tree import (
    Aggregated,
    Binary,
    Grouping,
    Literal,
    LogQLError,
    Metric,
    RangeOf,
    Replaced,
    VectorOf,
)  # fmt: skip
from .vectors import Series

MOST_QUERIES = 16  # range aggregations of one expression: each reads the events again


class Evaluation:
    """Evaluates one expression; holds what its queries cost."""

    def __init__(self, engine: QueryEngine, around: QueryRequest, labels: Labels, moments: Moments) -> None:
        self._engine, self._around, self._labels = engine, around, labels
        self._moments = moments.checked()
        self.stats: list[QueryStats] = []
        self.warnings: list[str] = []

    async def series(self, node: Metric) -> list[Series] | float:
        """The series of an expression; a number where it has none.

        :raises LogQLError: it is not supported or wrong
        """
        if sum(isinstance(one, RangeOf) for one in walk(node)) > MOST_QUERIES:
            raise LogQLError(f"more than {MOST_QUERIES} ranges in one expression", hint="ask for less at once")
        return await self._of(node, None, frozenset(), adds=False)

    async def _of(
        self, node: Metric, by: Grouping | None, named: frozenset[str], *, adds: bool
    ) -> list[Series] | float:
        match node:
            case Literal(value=value):
                return value
            case VectorOf(value=value):
                return [vectors.constant(value, self._moments.count)]
            case RangeOf():
                return await self._range(node, by, named, adds=adds)
            case Aggregated():
                return await self._aggregated(node, named)
            case Replaced():
                inner = await self._series_of(node.inner, named | {node.source})
                return vectors.replace_labels(node, inner)
            case Binary():
                return await self._binary(node, named)

    async def _series_of(
        self, node: Metric, named: frozenset[str], by: Grouping | None = None, *, adds: bool = False
    ) -> list[Series]:
        found = await self._of(node, by, named, adds=adds)
        if isinstance(found, float):
            raise LogQLError("a number is no series", hint=f"write vector({found:g})")
        return found

    async def _aggregated(self, node: Aggregated, named: frozenset[str]) -> list[Series]:
        grouping = node.grouping
        adds = node.op == "sum" and isinstance(node.inner, RangeOf) and node.inner.op in ADDITIVE
        inner = named | set(grouping.labels if grouping and not grouping.without else ())
        series = await self._series_of(node.inner, inner, grouping, adds=adds)
        return vectors.aggregate(node.op, series, grouping, node.parameter)

    async def _range(self, node: RangeOf, by: Grouping | None, named: frozenset[str], *, adds: bool) -> list[Series]:
        plan = plan_samples(node, self._labels, self._moments, by=by, named=sorted(named), adds=adds)
        result = await self._engine.run(sample_request(plan, self._around))
        self.stats.append(result.stats)
        self.warnings += result.warnings
        return vectors.kept(await in_worker(windows, node, plan, result, self._moments))

    async def _binary(self, node: Binary, named: frozenset[str]) -> list[Series] | float:
        more = named | set(node.matching.labels if node.matching and node.matching.on else ())
        more |= set(node.matching.included if node.matching else ())
        left = await self._of(node.left, None, more, adds=False)
        right = await self._of(node.right, None, more, adds=False)
        is_set = node.op in ("and", "or", "unless")
        if isinstance(left, float) or isinstance(right, float):
            if is_set:
                raise LogQLError(f"{node.op} goes between series, not numbers")
            if isinstance(left, float) and isinstance(right, float):
                is_bool = node.is_bool or node.op in vectors.COMPARISONS
                return vectors.operate(node.op, left, right, is_bool=is_bool) or 0.0
            if isinstance(left, float):
                assert not isinstance(right, float)
                return vectors.with_number(node.op, right, left, is_left=True, is_bool=node.is_bool)
            assert isinstance(right, float)
            return vectors.with_number(node.op, left, right, is_left=False, is_bool=node.is_bool)
        return vectors.operate_on_series(node.op, left, right, node.matching, is_bool=node.is_bool)


def walk(node: Metric) -> Iterable[Metric]:
    """The node and all below it."""
    yield node
    match node:
        case Aggregated(inner=inner) | Replaced(inner=inner):
            yield from walk(inner)
        case Binary(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
