"""Loki's query API: LogQL expressions over a real store, and the answers in the shapes that Grafana reads."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import json
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import cordwood.web.loki as package
import pytest
import websockets
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth import accounts, sessions, tokens
from cordwood.web.auth.gate import COOKIE
from cordwood.web.loki.parser import parse
from cordwood.web.loki.printer import written
from cordwood.web.loki.tree import LogQLError
from hypothesis import given
from hypothesis import strategies as st

from . import logql

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
SPAN = {"start": f"{logql.AT}000000000", "end": f"{logql.AT + 60}000000000"}
NAMES = {(second, line): name for lines in logql.STREAMS.values() for name, (second, line, _) in lines.items()}


@pytest.fixture
async def loki(client: Client) -> Client:
    """A client of a store with the lines of logql.py."""
    answer = await client.post("/loki/api/v1/push", json=logql.push())
    assert answer.status_code == 204, answer.text
    return client


async def asked(client: Client, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/loki/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, f"{parameters}: {answer.text}"
    return answer.json()


async def streams(client: Client, query: str, **more: Any) -> list[Any]:
    data = (await asked(client, "query_range", query=query, **{**SPAN, "direction": "forward", **more}))["data"]
    assert data["resultType"] == "streams"
    return list(data["result"])


async def names_of(client: Client, query: str) -> str:
    found = sorted(int(at) for stream in await streams(client, query) for at, _ in stream["values"])
    times = {second: name for (second, _), name in NAMES.items()}
    return " ".join(times[at // 10**9 - logql.AT] for at in found)


async def series_of(client: Client, query: str) -> dict[str, float]:
    data = (await asked(client, "query", query=query, time=logql.AT + 60))["data"]
    assert data["resultType"] == "vector"
    return {",".join(f"{k}={v}" for k, v in one["metric"].items()): float(one["value"][1]) for one in data["result"]}


async def test_expressions_give_the_right_rows_or_say_that_they_are_not_supported(loki: Client) -> None:
    """One store for the whole table; all that differs is shown."""
    wrong = []
    for query, names in logql.LINES.items():
        if (found := await names_of(loki, query)) != names:
            wrong.append(f"{query}\n  expected {names}\n  found    {found}")
    for query, lines in logql.FORMATTED.items():
        shown = [line for stream in await streams(loki, query) for _, line in stream["values"]]
        if shown != lines:
            wrong.append(f"{query}\n  expected {lines}\n  found    {shown}")
    for query, series in logql.SERIES.items():
        if (there := await series_of(loki, query)) != pytest.approx(series):
            wrong.append(f"{query}\n  expected {series}\n  found    {there}")
    for query, reason in logql.REFUSED.items():
        answer = await loki.get("/loki/api/v1/query", params={"query": query})
        is_text = answer.headers["content-type"].startswith("text/plain")
        if answer.status_code != 400 or not is_text or reason not in answer.text:
            wrong.append(f"{query}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [info.name for info in pkgutil.iter_modules(package.__path__)])
def test_the_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"{package.__name__}.{name}")).failed == 0


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(logql.LINES) + len(logql.FORMATTED) + len(logql.SERIES) >= 60


@pytest.mark.parametrize("query", [*logql.LINES, *logql.FORMATTED, *logql.SERIES])
def test_an_expression_is_written_as_it_is_read(query: str) -> None:
    tree = parse(query)
    assert parse(written(tree)) == tree


@given(st.text(alphabet='{}()[]"`|=!~<>abc_ 5m,+-^*json', max_size=60))
def test_no_text_gives_another_error(text: str) -> None:
    with contextlib.suppress(LogQLError):
        assert parse(written(parse(text))) == parse(text)


@pytest.mark.parametrize("text", ["(" * 2000, "1" + "+1" * 5000, '{a="b"}' + '|="x"' * 5000, "sum(" * 500])
def test_what_is_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(LogQLError, match=r"deeper than|too long"):
        parse(text)


async def test_answers_have_the_shapes_that_grafana_reads(loki: Client) -> None:
    # Streams: without a flag all labels are the stream's; Grafana asks to have them apart.
    query = '{env="dev"} | logfmt | user="ann"'
    (stream,) = await streams(loki, query)
    assert stream == {
        "stream": {
            "service_name": "auth",
            "env": "dev",
            "host": "web-2",
            "source": "loki",
            "detected_level": "info",
            "user": "ann",
        },
        "values": [[f"{logql.AT + 5}000000000", logql.AUTH["a0"][1]]],
    }
    flag = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    answer = await loki.get("/loki/api/v1/query_range", params={"query": query, **SPAN}, headers=flag)
    data = answer.json()["data"]
    assert data["encodingFlags"] == ["categorize-labels"]
    assert data["result"][0]["stream"] == {"service_name": "auth", "env": "dev", "host": "web-2"}
    assert data["result"][0]["values"][0][2] == {
        "structuredMetadata": {"detected_level": "info", "source": "loki"}, "parsed": {"user": "ann"},
    }  # fmt: skip
    assert {"summary", "querier", "ingester"} == set(data["stats"])
    # Backward, newest first, unless somebody says otherwise; `interval` thins out.
    newest = await asked(loki, "query_range", query='{service_name="shop"}', limit=2, **SPAN)
    lines = [line for one in newest["data"]["result"] for _, line in one["values"]]
    assert lines == [logql.SHOP["s3"][1], logql.SHOP["s2"][1]]
    thin = await streams(loki, '{service_name="shop"}', interval="15s")
    assert [int(at) // 10**9 - logql.AT for one in thin for at, _ in one["values"]] == [0, 20]
    # A matrix: at each step what lies in the range before it.
    query = 'sum by (env) (count_over_time({env=~".+"}[20s]))'
    data = (await asked(loki, "query_range", query=query, step="10", start=logql.AT, end=logql.AT + 30))["data"]
    assert data["resultType"] == "matrix"
    found = {one["metric"]["env"]: one["values"] for one in data["result"]}
    assert found["dev"] == [[logql.AT + 10, "1"], [logql.AT + 20, "2"], [logql.AT + 30, "2"]]
    assert found["prod"] == [[logql.AT, "1"], [logql.AT + 10, "3"], [logql.AT + 20, "4"], [logql.AT + 30, "4"]]
    # A scalar, and a form that is posted.
    assert (await asked(loki, "query", query="1 + 2"))["data"]["result"][1] == "3"
    posted = await loki.post("/loki/api/v1/query", data={"query": "vector(1)+vector(1)"})
    assert posted.json()["data"]["result"][0]["value"][1] == "2"


async def test_labels_series_volume_patterns_and_fields(loki: Client) -> None:
    labels = (await asked(loki, "labels", **SPAN))["data"]
    assert {"service_name", "env", "host", "detected_level"} <= set(labels)
    assert not {"message", "timestamp"} & set(labels)
    assert (await asked(loki, "label/service_name/values", **SPAN))["data"] == ["auth", "edge", "shop"]
    assert (await asked(loki, "label/env/values", query='{service_name="auth"}', **SPAN))["data"] == ["dev"]
    assert (await asked(loki, "label/nothing/values", **SPAN))["data"] == []
    found = (await asked(loki, "series", **{"match[]": ['{env="dev"}', '{service_name="edge"}'], **SPAN}))["data"]
    assert found == [
        {"env": "dev", "host": "web-2", "service_name": "auth"}, {"host": "web-1", "service_name": "edge"},
    ]  # fmt: skip
    counted = await asked(loki, "index/stats", query='{env="prod"}', **SPAN)
    assert (counted["streams"], counted["entries"], counted["chunks"]) == (2, 7, 1)
    volume = (await asked(loki, "index/volume", query='{env=~".+"}', targetLabels="service_name", **SPAN))["data"]
    sizes = {one["metric"]["service_name"]: int(one["value"][1]) for one in volume["result"]}
    assert sizes == {
        service: sum(len(line) for _, line, _ in lines.values()) for (service, *_), lines in logql.STREAMS.items()
    }
    by_label = await asked(loki, "index/volume", query='{env="dev"}', aggregateBy="labels", **SPAN)
    assert [one["metric"] for one in by_label["data"]["result"]] == [{"env": ""}]
    over_time = (await asked(loki, "index/volume_range", query='{env="dev"}', step="60", **SPAN))["data"]
    assert (over_time["resultType"], len(over_time["result"])) == ("matrix", 1)
    patterns = (await asked(loki, "patterns", query='{service_name="auth"}', **SPAN))["data"]
    assert sum(n for one in patterns for _, n in one["samples"]) == 3
    assert 'level=error msg="<_>" user=eve took=<_> ip=<_>' in {one["pattern"] for one in patterns}
    detected = (await asked(loki, "detected_labels", **SPAN))["detectedLabels"]
    cardinal = {one["label"]: one["cardinality"] for one in detected}
    assert (cardinal["env"], cardinal["service_name"]) == (2, 3)
    there = (await asked(loki, "detected_fields", query='{env=~".+"}', **SPAN))["fields"]
    fields = {one["label"]: one for one in there}
    assert fields["status"] == {
        "label": "status", "type": "int", "cardinality": 3, "parsers": ["json"], "jsonPath": ["status"],
    }  # fmt: skip
    assert fields["user_name"]["jsonPath"] == ["user", "name"]
    assert (fields["ip"]["parsers"], fields["detected_level"]["parsers"]) == (["logfmt"], None)
    values = await asked(loki, "detected_field/user/values", query='{service_name="auth"} | logfmt', **SPAN)
    assert values["values"] == ["ann", "bob", "eve"]
    formatted = (await asked(loki, "format_query", query='sum(rate({a="b"}[1m]))by(c)'))["data"]
    assert formatted == 'sum by (c) (rate({a="b"}[1m]))'
    assert (await asked(loki, "status/buildinfo"))["version"].startswith("3.")


async def test_bad_parameters_are_refused(loki: Client) -> None:
    for path, parameters in [
        ("query_range", {"query": "{}", "limit": "9999999"}),
        ("query_range", {"query": "{}", "start": "never"}),
        ("query_range", {"query": "{}", "start": "20", "end": "10"}),
        ("query_range", {"query": "rate({}[1s])", "start": "0", "end": "1000000000", "step": "1"}),
        ("query_range", {"query": "rate({}[1s])", "step": "0"}),
        ("index/stats", {"query": "rate({}[1s])"}),
    ]:
        answer = await loki.get(f"/loki/api/v1/{path}", params=parameters)
        assert answer.status_code == 400, (path, answer.text)


async def signed_in(node: Node, role: str) -> dict[str, str]:
    user = await accounts.add_user(node.store.pool, f"{role}@example.org", "correct horse", role=role)
    secret = await sessions.start_session(node.store.pool, user.id, "password", confirmed_at=datetime.now(UTC))
    return {"Cookie": f"{COOKIE}={secret}"}


async def test_a_role_sees_its_part_alone(node: Node, client: Client) -> None:
    admin, loki = await signed_in(node, "admin"), client
    assert (await loki.post("/loki/api/v1/push", json=logql.push(), headers=admin)).status_code == 204
    role = {"name": "devs", "permissions": ["query"], "search": "env:dev", "masks": [{"field": "host"}]}
    assert (await loki.post("/api/v1/roles", json=role, headers=admin)).status_code == 201
    loki.headers.update(await signed_in(node, "devs"))
    assert await names_of(loki, '{env=~".*"}') == "a0 a1 a2"
    assert {stream["stream"]["host"] for stream in await streams(loki, "{}")} == {"***"}
    assert await names_of(loki, '{host="web-2"}') == ""
    assert await series_of(loki, "sum by (env) (count_over_time({}[2m]))") == {"env=dev": 3}
    assert (await asked(loki, "label/service_name/values", **SPAN))["data"] == ["auth"]
    assert (await asked(loki, "label/host/values", **SPAN))["data"] == ["***"]
    assert (await asked(loki, "index/stats", **SPAN))["entries"] == 3
    assert "GET" not in json.dumps(await asked(loki, "patterns", query="{}", **SPAN))
    volume = (await asked(loki, "index/volume", query="{}", targetLabels="service_name", **SPAN))["data"]["result"]
    assert [one["metric"] for one in volume] == [{"service_name": "auth"}]
    fields = {one["label"] for one in (await asked(loki, "detected_fields", query="{}", **SPAN))["fields"]}
    assert ("ip" in fields, "status" in fields) == (True, False)


async def test_a_tail_follows_and_ends_with_its_token(
    node: Node, listening: Callable[..., Any], client: Client
) -> None:
    pool = node.store.pool
    await signed_in(node, "admin")
    token, reader = await tokens.create_token(pool, "reader", ["query"])
    _, writer = await tokens.create_token(pool, "writer", ["ingest"])
    own = {"Authorization": f"Bearer {writer}"}
    assert (await client.post("/loki/api/v1/push", json=logql.push(), headers=own)).status_code == 204
    more = {"streams": [{"stream": {"service_name": name}, "values": [[f"{logql.AT + 70}000000000", name]]}
                        for name in ("shop", "auth")]}  # fmt: skip
    async with listening(create_app(node)) as url:
        tail = f"{url.replace('http', 'ws')}/loki/api/v1/tail?query=%7Bservice_name%3D%22auth%22%7D"
        headers = {"Authorization": f"Bearer {reader}"}
        with anyio.fail_after(60):
            start = f"&start={logql.AT}&limit=2"
            async with websockets.connect(tail + start, additional_headers=headers) as socket:
                first = json.loads(await socket.recv())
                lines = [line for stream in first["streams"] for _, line in stream["values"]]
                assert sorted(lines) == sorted([logql.AUTH["a1"][1], logql.AUTH["a2"][1]])
                assert (await client.post("/loki/api/v1/push", json=more, headers=own)).status_code == 204
                labels = {"service_name": "auth", "source": "loki", "detected_level": "unknown"}
                assert json.loads(await socket.recv()) == {
                    "streams": [{"stream": labels, "values": [[f"{logql.AT + 70}000000000", "auth"]]}],
                    "dropped_entries": None,
                }
                await tokens.revoke_token(pool, token.id)
                with pytest.raises(websockets.ConnectionClosed):
                    await socket.recv()
            _, other = await tokens.create_token(pool, "other", ["query"])
            abroad = {"Authorization": f"Bearer {other}", "Origin": "https://elsewhere.example"}
            for refused in (own, headers, {}, abroad):
                with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
                    async with websockets.connect(tail, additional_headers=refused) as socket:
                        await socket.recv()


async def test_a_tail_says_what_is_wrong_with_its_query(node: Node, listening: Callable[..., Any]) -> None:
    async with listening(create_app(node)) as url:
        tail = f"{url.replace('http', 'ws')}/loki/api/v1/tail?query=%7B"
        async with websockets.connect(tail, open_timeout=30) as socket:
            with pytest.raises(websockets.ConnectionClosed) as closed, anyio.fail_after(30):
                await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "syntax error: unexpected end")
