"""The sources' routes: found, bounded, and every failure of a source answered as what it is."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest
from cordwood.core.runtime import Node
from cordwood.plugins import HttpRequest, HttpResponse, HttpSource, Outlet, PluginConfig, RejectedError, RetryableError
from cordwood.web import create_app
from cordwood.web.bodies import MIB, Bounds, Budget
from cordwood.web.intake import Intake, routes_of

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


class Bulk(HttpSource[PluginConfig]):
    """A source of a stranger: answers what its request asks for."""

    routes: ClassVar = [("POST", "/_bulk"), ("POST", "/{index}/_bulk"), ("GET", "/_bulk"), ("POST", "/fixed/_bulk")]

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        match request.query.get("do"):
            case "reject":
                raise RejectedError("this is no bulk body")
            case "retry":
                raise RetryableError("the store sleeps", after=7)
            case "break":
                raise ZeroDivisionError
            case "wait":
                await anyio.sleep(0.3)
        named = f"{dict(request.path_params)} {request.headers.get('x-odd')} {len(request.body)}".encode()
        return HttpResponse(201, named, "text/plain", {"X-Source": "bulk"})


@pytest.fixture
def bulk(node: Node, client_of: Callable[..., Client]) -> Callable[..., Client]:
    """A client of the application with the stranger's source mounted."""

    def make(**options: Any) -> Client:
        app = create_app(node, **options)
        source = SimpleNamespace(name="bulk", plugin=Bulk(PluginConfig()), outlet_of=lambda _: None)
        old = app.intake
        app.intake = Intake(
            lambda: [source, *node.http_sources],
            app.gate,
            bounds=old.bounds,
            budget=old.budget,
            admission=old.admission,
        )
        return client_of(app)

    return make


def test_literal_paths_come_before_patterns() -> None:
    source: Any = SimpleNamespace(name="bulk", plugin=Bulk(PluginConfig()), outlet_of=lambda _: None)
    paths = [route.path for route in routes_of([source])]
    assert paths.index("/fixed/_bulk") < paths.index("/{index}/_bulk")


async def test_what_a_source_gets_and_answers(bulk: Callable[..., Client]) -> None:
    async with bulk() as client:
        answer = await client.post(
            "/my%20logs/_bulk?x=1", content=b"abc", headers={"X-Odd": "\u00fc".encode("latin-1")}
        )  # type: ignore[dict-item]
        assert (answer.status_code, answer.text) == (201, "{'index': 'my logs'} \u00fc 3")
        assert answer.headers["x-source"] == "bulk"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/_bulk")).status_code == 201
        assert (await client.post("/fixed/_bulk")).text == "{} None 0"


async def test_failures_are_answered_as_what_they_are(
    bulk: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    async with bulk() as client:
        answer = await client.post("/_bulk?do=reject")
        assert (answer.status_code, answer.json()["detail"]) == (400, "this is no bulk body")
        answer = await client.post("/_bulk?do=retry")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        answer = await client.patch("/_bulk")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, PUT")
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
        answer = await client.post("/_bulk?do=break")
        assert answer.status_code == 500
        reference = answer.json()["instance"].rpartition(":")[2]
        assert sum(reference in record.getMessage() for record in caplog.records) == 1
        assert "ZeroDivision" not in answer.text


async def test_bounds(bulk: Callable[..., Client]) -> None:
    bounds = Bounds(compressed=MIB, decompressed=2 * MIB)
    async with bulk(bounds=bounds) as client:
        cases = {
            "at the bound": (bytes(MIB), "", 201),
            "beyond it": (bytes(MIB + 1), "", 413),
            "decompressed at the bound": (gzip.compress(bytes(2 * MIB)), "gzip", 201),
            "decompressed beyond it": (gzip.compress(bytes(2 * MIB + 1)), "gzip", 413),
            "a bomb": (gzip.compress(bytes(300 * MIB)), "gzip", 413),
            "cut off": (gzip.compress(b"x" * 1000)[:-3], "gzip", 400),
            "unknown": (b"x", "br", 415),
        }
        for name, (body, encoding, status) in cases.items():
            headers = {"Content-Encoding": encoding} if encoding else {}
            answer = await client.post("/_bulk", content=body, headers=headers)
            assert answer.status_code == status, name
            if status >= 400:
                assert answer.json()["status"] == status

        async def chunks() -> Any:
            for _ in range(40):
                yield bytes(64 * 1024)

        assert (await client.post("/_bulk", content=chunks())).status_code == 413


async def test_too_many_at_once_are_told_to_come_again(bulk: Callable[..., Client]) -> None:
    async with bulk(budget=Budget(limit=MIB, wait_s=0.05)) as client:
        answers: list[Any] = []

        async def send() -> None:
            answers.append(await client.post("/_bulk?do=wait", content=bytes(MIB // 2)))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(send)
        assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429, 429]
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
        assert (await client.post("/_bulk", content=bytes(MIB // 2))).status_code == 201
