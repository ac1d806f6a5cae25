"""`/api/v1/notifiers`: who is told, and a message to see whether it arrives."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import anyio
import msgspec
from litestar import Request, get, post
from litestar.params import PathParameter
from msgspec import Meta

from ...config.models import NotifierEntry
from ...core.alerting.records import rfc3339 as moment
from ...core.alerting.samples import storable
from ...core.storage.audit import audit
from ...plugins import DeliveryError, Notification, RetryableError
from ..auth.projects import DEFAULT_PROJECT
from ..problems import NotFoundProblem, described
from .node import NodeDependency, who_asks

_PATIENCE_S: Final = 30.0
_MOST_DETAIL: Final = 500


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
    notifier_name: Annotated[str, PathParameter(name="name", max_length=500, description="The notifier's name")],
) -> TestResult:
    """Send a message that says it is a test, once, and answer what the other side said. It is kept in no history."""
    entry = node.config.notifiers.get(notifier_name)
    if entry is None:
        raise NotFoundProblem(f"there is no notifier {notifier_name[:60]!r}; /api/v1/notifiers lists what there is")
    result = await _tried(entry, who_asks(request).name, node.url)
    told = {"notifier": entry.name, "ok": result.ok}
    await audit(node.store.pool, who_asks(request).name, "notifier.test", project_id=node.project_id, **told)
    return result


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
        opened_at=moment(datetime.now(UTC)),
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
