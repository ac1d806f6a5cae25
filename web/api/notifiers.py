"""`/api/v1/notifiers`: who is told, and a message to see whether it arrives."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

import anyio
import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ...config.models import NotifierEntry
from ...core.alerting import AlertingRepository
from ...core.alerting.samples import storable
from ...core.storage.audit import audit
from ...plugins import (
    MAX_TEMPLATE,
    ConfigError,
    DeliveryError,
    Notification,
    RejectedError,
    RetryableError,
    headline,
    in_words,
    in_worker,
    line_of,
    plain_text,
    rfc3339,
)
from ..auth.projects import DEFAULT_PROJECT
from ..problems import NotFoundProblem, ProblemException, described
from .node import NodeDependency, who_asks
from .query import may_administer

_PATIENCE_S: Final = 30.0
_MOST_DETAIL: Final = 500
_MOST_SHOWN: Final = 50_000  # characters of a preview
Name: TypeAlias = Annotated[str, PathParameter(name="name", max_length=500, description="The notifier's name")]


class NotifierItem(msgspec.Struct, frozen=True):
    """A notifier of the running configuration. Its settings are left out: they may hold secrets."""

    name: Annotated[str, Meta(examples=["oncall"])]
    type: Annotated[str, Meta(examples=["webhook"])]
    detectors: Annotated[list[str], Meta(description="Names of the detectors that tell it")]


class NotifierList(msgspec.Struct, frozen=True):
    """The notifiers, as the file has them."""

    items: list[NotifierItem]


class TestResult(msgspec.Struct, frozen=True):
    """How the test message went."""

    ok: bool
    detail: Annotated[str, Meta(description="What the other side answered", examples=["200 OK"])]
    may_succeed_later: Annotated[bool, Meta(description="It failed in a way that a real message would be tried again")]


@get(
    "/api/v1/notifiers",
    operation_id="listNotifiers",
    summary="Notifiers",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_notifiers(node: NodeDependency) -> NotifierList:
    """The notifiers of the running configuration."""
    told: dict[str, list[str]] = {name: [] for name in node.config.notifiers}
    for name, detector in node.config.detectors.items():
        for notifier in getattr(detector.config, "notify", ()):
            told.setdefault(notifier, []).append(name)
    return NotifierList([NotifierItem(name, entry.type, told[name]) for name, entry in node.config.notifiers.items()])


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of what there is to be a preview."""

    event: Literal["opened", "flapping", "escalated", "resolved"] = "opened"
    template: Annotated[
        Annotated[str, Meta(max_length=MAX_TEMPLATE)] | None,
        Meta(description="A draft to word it by, for administrators; null: the template of the file, if there is one"),
    ] = None
    incident: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="A real incident; null: one that is made up")
    ] = None


class Preview(msgspec.Struct, frozen=True):
    """What the notifier would send of an incident."""

    headline: Annotated[str, Meta(description="The first line, or the subject")]
    text: Annotated[str, Meta(description="The message as text; of a webhook its body")]
    problem: Annotated[str | None, Meta(description="Why a template fails; it would say the usual words then")]
    line: Annotated[int | None, Meta(description="The line of the template that is wrong, from 1; null: unknown")]
    template: Annotated[str | None, Meta(description="That of the file, for administrators")]


@post(
    "/api/v1/notifiers/{name:str}/preview",
    operation_id="previewNotifier",
    summary="Preview a message",
    tags=["alerts"],
    status_code=200,
    opt={"access": "query"},
    responses=described(403, 404),
)
async def preview_notifier(
    request: Request[Any, Any, Any], node: NodeDependency, notifier_name: Name, data: JSONBody[Wanted]
) -> Preview:
    """What the notifier would send of an incident, by its template, or by a draft of one. Nothing is sent."""
    entry = _entry(node, notifier_name)
    notifier, own = entry.make(), getattr(entry.config, "template", None)
    if data.template is not None:
        _may_draft(request, entry)
    message = _sample(data.event, node.url) if data.incident is None else await _real(node, data.event, data.incident)
    problem, line = None, None
    try:
        message = await in_words(own if data.template is None else data.template, message)
    except (ConfigError, RejectedError) as why:
        problem, line = str(why), line_of(why)
    try:
        text = await in_worker(notifier.preview, message)
    except RejectedError as why:
        text, problem = "", str(why)
    except Exception as why:  # a stranger's code: its message may hold an address or a key
        text, problem = "", f"{type(why).__name__} in the notifier"
    shown = plain_text(message) if text is None else text
    problem = problem and storable(problem)[:_MOST_DETAIL]
    told = own if may_administer(request) else None
    return Preview(headline(message), storable(shown)[:_MOST_SHOWN], problem, line, told)


def _may_draft(request: Request[Any, Any, Any], entry: NotifierEntry) -> None:
    """Refuse who may not write templates: it is a program, and those of the file are administrators' too."""
    if not may_administer(request):
        raise ProblemException(403, "a draft of a template is for administrators, as the pipeline file is")
    if not hasattr(entry.config, "template"):
        raise ProblemException(400, f"{entry.name} is of the type {entry.type}, which has fields and no template")


async def _real(node: NodeDependency, event: str, incident_id: int) -> Notification:
    """What would be told of a real incident now. Its link to acknowledge is left out: it would be one for anybody."""
    incident = await AlertingRepository(node.store.pool).get_incident(node.project_id, incident_id)
    if incident is None:
        raise NotFoundProblem(f"there is no incident {incident_id}; /api/v1/incidents lists what there is")
    names = ("detector", "title", "severity", "group", "values", "samples", "opened_at", "resolved_at")
    told = {name: getattr(incident, name) for name in names}
    return replace(
        _sample(event, node.url), **told, incident_id=incident_id, link=f"{node.url}/alerts/incidents/{incident_id}"
    )


@post(
    "/api/v1/notifiers/{name:str}/test",
    operation_id="testNotifier",
    summary="Send a test message",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404),
)
async def test_notifier(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    notifier_name: Name,
) -> TestResult:
    """Send a message that says it is a test, once, and answer what the other side said. It is kept in no history."""
    entry = _entry(node, notifier_name)
    result = await _tried(entry, who_asks(request).name, node.url)
    told = {"notifier": entry.name, "ok": result.ok}
    await audit(node.store.pool, who_asks(request).name, "notifier.test", project_id=node.project_id, **told)
    return result


def _entry(node: NodeDependency, name: str) -> NotifierEntry:
    entry = node.config.notifiers.get(name)
    if entry is None:
        raise NotFoundProblem(f"there is no notifier {name[:60]!r}; /api/v1/notifiers lists what there is")
    return entry


def _sample(event: str, url: str) -> Notification:
    """An incident that never was. Its link leads to the list."""
    is_over = event == "resolved"
    return Notification(
        delivery_id="00000000-0000-4000-8000-000000000000",
        event=event,
        incident_id=42,
        detector="errors",
        title="errors: n = 62 (n > 50) for service checkout",
        severity="ERROR",
        group={"service": "checkout"},
        values={"n": 62},
        opened_at="2026-01-31T12:00:00.000000000Z",
        resolved_at="2026-01-31T12:20:00.000000000Z" if is_over else None,
        link=f"{url}/alerts/incidents",
        samples=[
            {"timestamp": f"2026-01-31T11:59:{50 + n}.000000000Z", "severity": "ERROR", "service": "checkout",
             "message": f"card declined for user {n}"}
            for n in (3, 2, 1)
        ],
        project=DEFAULT_PROJECT,
        text="It opened 4 times in a short time. It stays open until it is calm." if event == "flapping" else "",
        acknowledge="" if is_over else f"{url}/acknowledge/…",
    )  # fmt: skip


async def _tried(entry: NotifierEntry, who: str, link: str) -> TestResult:
    message = Notification(
        delivery_id=f"test-{secrets.token_hex(8)}",
        event="opened",
        incident_id=0,
        detector="test",
        title=f"This is a test of the notifier {entry.name}, sent by {who}",
        severity="INFO",
        group={},
        values={},
        opened_at=rfc3339(datetime.now(UTC)),
        resolved_at=None,
        link=link,
        samples=[],
        project=DEFAULT_PROJECT,
    )
    try:
        with anyio.fail_after(_PATIENCE_S):
            ok, detail, later = True, await entry.make().notify(message), False
    except RetryableError as why:
        ok, detail, later = False, str(why), True
    except DeliveryError as why:
        ok, detail, later = False, str(why), False
    except TimeoutError:
        ok, detail, later = False, f"no answer within {_PATIENCE_S:.0f} s", True
    except Exception as why:  # a stranger's code: its message may hold an address or a key
        ok, detail, later = False, f"{type(why).__name__} in the notifier", False
    return TestResult(ok, storable(detail)[:_MOST_DETAIL], later)
