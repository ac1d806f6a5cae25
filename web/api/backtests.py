"""`/api/v1/detectors/{name}/backtest`: when a detector would have fired over the past; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, cast

import anyio
import msgspec
from litestar import Request, post
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta
from pydantic import ValidationError

from ...core.alerting import Backtested, Events, Firing, Span, Suggestion, backtest, suggest
from ...plugins import Detector, PluginError, RejectedError, now_ns, rfc3339
from ..problems import NotFoundProblem, described, to_problem
from .formats import EVENTS, Say
from .node import NodeDependency, ProjectDependency
from .progress import TICK_S, EventStream
from .query import unless_gone
from .times import Time, time_ns

Wish: TypeAlias = Annotated[float, Meta(gt=0, le=10_000, description="Suggest a bound with about so many a week")]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600, description="Seconds after which it ends with what it has")]
_DAY_NS = 86_400_000_000_000


class BacktestBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The past that is judged."""

    from_: Annotated[Time | None, Meta(description="Without it: a day before `to`")] = None
    to: Annotated[Time | None, Meta(description="Without it: now")] = None
    alerts_per_week: Wish | None = None
    timeout: Seconds = 60.0


class TrialBody(BacktestBody, frozen=True, kw_only=True):
    """A detector that is in no file yet, and the past that is judged."""

    definition: Annotated[
        dict[str, Any],
        Meta(description="As under `detectors:` in the YAML", examples=[{"type": "match", "query": "x"}]),
    ]


class WouldBe(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """An incident that would have been."""

    group: dict[str, Any]
    title: str
    severity: str
    values: Annotated[dict[str, Any], Meta(description="When it opened")]
    last_values: Annotated[dict[str, Any], Meta(description="In the last window in trouble")]
    from_: Annotated[Time, Meta(description="Begin of the first window in trouble")]
    opened_at: Time
    last_seen_at: Annotated[Time, Meta(description="End of the last window in trouble")]
    resolved_at: Annotated[Time | None, Meta(description="null: it would be open still")]


class BoundSuggestion(msgspec.Struct, frozen=True):
    """A condition for the wished number of alerts."""

    condition: Annotated[str, Meta(examples=["n > 73"])]
    per_week: float


class BacktestAnswer(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """When the detector would have fired, oldest first."""

    items: list[WouldBe]
    from_: Time
    to: Time
    until: Annotated[Time, Meta(description="Judged up to here")]
    steps: Annotated[int, Meta(description="Windows that were judged")]
    step_seconds: Annotated[float, Meta(description="Between their ends: `every`, or more where that were too many")]
    queries: int
    per_week: float
    elapsed_ms: float
    complete: bool
    reason: Annotated[str | None, Meta(description="Why it is not complete")]
    suggestion: BoundSuggestion | None


@post(
    "/api/v1/detectors/{name:str}/backtest",
    operation_id="backtestDetector",
    summary="When a detector would have fired",
    tags=["alerts"],
    status_code=200,
    opt={"access": "query"},
    responses=described(404),
)
async def backtest_detector(
    name: Annotated[str, PathParameter(description="The detector's name in the YAML")],
    data: JSONBody[BacktestBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
) -> Response[BacktestAnswer]:
    """Judge the past by a detector of the running configuration, in its own steps, without writing incidents.

    With `Accept: text/event-stream`: `event: progress` (`steps`, `total`, `firings`), then `event: result` or
    `event: problem`, and `event: end`. A client that goes away cancels it.
    """
    entry = node.config.detectors.get(name) if project_id == node.project_id else None
    if entry is None:
        raise NotFoundProblem(f"there is no detector {name[:100]}")
    return await _answered(_Trial.of(name, entry.make(), data, node, project_id), request)


@post(
    "/api/v1/detectors/backtest",
    operation_id="backtestDefinition",
    summary="When a detector that is not saved would have fired",
    tags=["alerts"],
    status_code=200,
    opt={"access": "query"},
    responses=described(),
)
async def backtest_definition(
    data: JSONBody[TrialBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[BacktestAnswer]:
    """Judge the past by a detector that is defined here; otherwise as `backtestDetector`."""
    return await _answered(_Trial.of("trial", _made(data.definition, node), data, node, project_id), request)


def _made(definition: Mapping[str, Any], node: NodeDependency) -> Detector[Any]:
    settings = dict(definition)
    try:
        cls = node.registry.get("detector", str(settings.pop("type", "")))
        made = cls(cls.config_model.model_validate(settings))
    except PluginError as why:
        raise RejectedError(str(why)) from None
    except ValidationError as why:
        wrong = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in why.errors(include_url=False))
        raise RejectedError("; ".join(wrong)) from None
    return cast("Detector[Any]", made)


@dataclass
class _Trial:
    """A backtest, and how far it is."""

    name: str
    detector: Detector[Any]
    span: Span
    wish: float | None
    node: NodeDependency
    project_id: int
    done: int = 0
    total: int = 0
    firings: int = 0

    @classmethod
    def of(
        cls, name: str, detector: Detector[Any], data: BacktestBody, node: NodeDependency, project_id: int
    ) -> _Trial:
        to = time_ns(data.to, "to")
        to = now_ns() if to is None else to
        begin = time_ns(data.from_, "from")
        span = Span(to - _DAY_NS if begin is None else begin, to, data.timeout)
        return cls(name, detector, span, data.alerts_per_week, node, project_id)

    async def run(self) -> BacktestAnswer:
        node = self.node
        events = Events(node.engine, self.project_id, await node.store.catalog.head(self.project_id))
        found = await backtest(self.name, self.detector, events, self.span, self._told)
        bound = None if self.wish is None else await suggest(self.detector, events, self.span, self.wish)
        return _shown(found, bound)

    def _told(self, done: int, total: int, firings: int) -> None:
        self.done, self.total, self.firings = done, total, firings


async def _answered(trial: _Trial, request: Request[Any, Any, Any]) -> Response[BacktestAnswer]:
    if EVENTS in request.headers.get("accept", ""):
        return _TrialEvents(trial)
    return Response(await unless_gone(request, trial.run()))


class _TrialEvents(EventStream):
    """Runs the backtest while it answers."""

    def __init__(self, trial: _Trial) -> None:
        super().__init__(self._tell)
        self._trial = trial

    async def _tell(self, say: Say) -> None:
        over = anyio.Event()
        last: tuple[str, Any] = ("problem", None)

        async def tick() -> None:
            while not over.is_set():
                trial = self._trial
                told = {"steps": trial.done, "total": trial.total, "firings": trial.firings}
                await say(_event("progress", told))
                with anyio.move_on_after(TICK_S):
                    await over.wait()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            try:
                last = ("result", await self._trial.run())
            except Exception as why:
                last = ("problem", to_problem(why)[0])
            over.set()
        await say(_event(*last))
        await say(_event("end", {}))


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _shown(found: Backtested, bound: Suggestion | None) -> BacktestAnswer:
    return BacktestAnswer(
        items=[_would_be(firing) for firing in found.firings],
        from_=rfc3339(found.from_ns),
        to=rfc3339(found.to_ns),
        until=rfc3339(found.until_ns),
        steps=found.steps,
        step_seconds=found.step_ns / 1e9,
        queries=found.queries,
        per_week=round(found.per_week, 2),
        elapsed_ms=round(found.elapsed * 1000, 1),
        complete=found.is_complete,
        reason=found.reason,
        suggestion=None if bound is None else BoundSuggestion(bound.condition, round(bound.per_week, 2)),
    )


def _would_be(firing: Firing) -> WouldBe:
    return WouldBe(
        group=dict(firing.group),
        title=firing.title,
        severity=firing.severity,
        values=dict(firing.values),
        last_values=dict(firing.last_values),
        from_=rfc3339(firing.from_ns),
        opened_at=rfc3339(firing.opened_ns),
        last_seen_at=rfc3339(firing.last_ns),
        resolved_at=None if firing.resolved_ns is None else rfc3339(firing.resolved_ns),
    )
