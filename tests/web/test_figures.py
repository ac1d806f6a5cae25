"""The course of an incident's figure over HTTP, with the bounds of its threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cordwood.config import load_text
from cordwood.core.runtime import Node

from .test_alerts import opened
from .test_backtests import DEFINITION, logs

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


def configured(node: Node, **detectors: dict[str, Any]) -> None:
    text = "version: 1\ndetectors:\n" + "".join(f"  {name}: {said}\n" for name, said in detectors.items())
    node.config = replace(node.config, detectors=load_text(text.replace("'", '"'), node.registry).detectors)


async def figures(client: Client, number: int) -> Any:
    answer = await client.get(f"/api/v1/incidents/{number}/figures")
    assert answer.status_code == 200, answer.text
    return answer.json()["figures"]


async def test_the_figure_of_the_group_and_its_bounds(node: Node, client: Client) -> None:
    bounds = {"recover": "n < 1", "hold": "2m", "severities": {"fatal": "n > 9", "warn": "m > 1"}}
    configured(node, errors=DEFINITION | bounds)
    await logs(client)
    other = {"timestamp": "2026-01-31T12:10:30Z", "severity": "error", "service": "web", "message": "x"}
    await client.logs(*[other] * 9)
    number = await opened(node, 1)
    found = await figures(client, number)
    assert found["levels"] == [
        {"what": "condition", "op": ">", "value": 2},
        {"what": "recover", "op": "<", "value": 1},
        {"what": "fatal", "op": ">", "value": 9},
    ]
    assert (found["column"], found["hold"], found["window"], found["step_seconds"]) == ("n", "2m", "5m", 60)
    assert (found["times"][0], found["times"][-1]) == (
        "2026-01-31T11:21:00.000000000Z",
        "2026-01-31T17:00:00.000000000Z",
    )
    values = dict(zip(found["times"], found["values"], strict=True))
    shown = {at[11:16]: value for at, value in values.items() if value is not None}
    assert shown == {
        "12:11": 3, "12:12": 7, "12:13": 7, "12:14": 7, "12:15": 7, "12:16": 4,
        **{f"12:{minute}": 5 for minute in range(41, 46)},
    }  # fmt: skip


async def test_often_judged_windows_are_asked_for_seldom(node: Node, client: Client) -> None:
    configured(node, errors=DEFINITION | {"every": "1s", "query": "* | stats count() as n", "condition": "n < 4"})
    await logs(client)
    found = await figures(client, await opened(node, 1))
    assert (found["step_seconds"], len(found["values"])) == (75, 272)
    assert min(found["values"]) == 0, "a window without events has a count"


async def test_what_has_no_figure(node: Node, client: Client) -> None:
    number = await opened(node, 1)
    assert await figures(client, number) is None, "the detector is gone"
    configured(node, errors=DEFINITION | {"condition": "n > 2 and n < 9"})
    assert await figures(client, number) is None
    configured(node, errors={"type": "match", "query": "x"})
    assert await figures(client, number) is None
    assert (await client.get("/api/v1/incidents/987654/figures")).status_code == 404
