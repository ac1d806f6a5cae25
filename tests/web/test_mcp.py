"""`/mcp` with the protocol's own client, on a real port: what is answered and refused, and what a role does not see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from cordwood.core.query.request import Mask
from cordwood.core.runtime import Node
from cordwood.web.api.mcp import MOST_BYTES, VERSIONS
from cordwood.web.auth import accounts, custom_roles, tokens
from mcp.client.client import Client as Mcp
from mcp.client.streamable_http import streamable_http_client

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def assistant(live: Client, token: str = "") -> AsyncIterator[Mcp]:
    """The protocol's client, connected."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Mcp(streamable_http_client(f"{live.base_url}/mcp", http_client=http)) as made,
    ):
        yield made


async def called(client: Mcp, name: str, **arguments: Any) -> Any:
    """What a tool answers; a mistake is its text."""
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    text: str = content.text
    return text if result.is_error else json.loads(text)


async def furnished(live: Client, **headers: str) -> None:
    shop = [
        {"service": "shop", "severity": "ERROR", "message": f"card of user {n} declined", "n": n} for n in range(30)
    ]
    await live.logs(*shop, {"service": "pay", "message": "secret plans", "user": "ann"}, **headers)


async def test_an_assistant_looks_at_the_logs(live: Client) -> None:
    await furnished(live)
    async with assistant(live) as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "fields", "patterns", "incidents"]
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
        assert tools[0].input_schema["properties"]["limit"]["maximum"] == 200
        found = await called(client, "search", query="severity>=error | stats count() as n by service")
        assert found == {
            "columns": ["service", "n"],
            "rows": [{"service": "shop", "n": 30}],
            "complete": True,
            "warnings": [],
        }
        assert [row["n"] for row in (await called(client, "search", query="service:shop n<5", limit=2))["rows"]] == [
            4,
            3,
        ]
        fields = {field["name"]: field for field in (await called(client, "fields", query="service:shop"))["fields"]}
        assert (fields["n"]["type"], fields["n"]["count"]) == ("int", 30)
        assert "user" not in fields
        patterns = await called(client, "patterns", query="service:shop")
        assert (patterns["rows"][0]["pattern"], patterns["rows"][0]["count"]) == ("card of user <*> declined", 30)
        assert await called(client, "incidents", state="open") == {"incidents": [], "complete": True}


async def test_mistakes_are_told_so_that_they_can_be_mended(live: Client) -> None:
    async with assistant(live) as client:
        assert "did you mean" in await called(client, "search", query="* | statz count()")
        assert "is no time" in await called(client, "search", query="", **{"from": "yesterday"})
        for name, arguments in (("drop", {}), ("search", {}), ("search", {"query": "", "limit": 10_000})):
            with pytest.raises(Exception, match=r"no tool|query|201|200"):
                await client.call_tool(name, arguments)


async def test_answers_are_bounded(live: Client) -> None:
    await live.logs(*({"service": "big", "message": "x" * 20_000, "n": n} for n in range(60)))
    async with assistant(live) as client:
        result = await client.call_tool("search", {"query": "service:big", "limit": 60})
        found = json.loads(result.content[0].text)
        assert len(result.content[0].text) < MOST_BYTES + 2000
        assert 0 < len(found["rows"]) < 60
        assert not found["complete"]
        assert found["rows"][0]["message"] == "x" * 2000 + "…"


async def test_a_role_sees_its_events_alone_and_only_tokens_for_queries_come_in(node: Node, live: Client) -> None:
    pool = node.store.pool
    await accounts.add_user(pool, "ann@example.org", "correct horse battery", is_admin=True)
    await custom_roles.put_role(
        pool,
        node.project_id,
        "some",
        ["query"],
        "service:pay",
        (Mask("user", "stars"),),
        etag=None,
        is_new=True,
        by="x",
    )
    await accounts.add_service_account(pool, "bot", role="some", project="default", by="x")
    _, narrow = await tokens.create_token(pool, "narrow", ["query"], account="bot")
    _, shipper = await tokens.create_token(pool, "shipper", ["ingest"])
    await furnished(live, Authorization=f"Bearer {shipper}")
    async with assistant(live, narrow) as client:
        rows = (await called(client, "search", query=""))["rows"]
        assert [(row["service"], row["user"]) for row in rows] == [("pay", "***")]
        assert (await called(client, "search", query="user:ann | stats count() as n"))["rows"] == [{"n": 0}]
        assert "n" not in {field["name"] for field in (await called(client, "fields"))["fields"]}
        assert [row["count"] for row in (await called(client, "patterns"))["rows"]] == [1]
        assert "made of all of them" in await called(client, "incidents")
        assert "audit" in await called(client, "search", query="from audit")
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for token, status in (("", 401), ("cw_wrong", 401), (shipper, 403), (narrow, 200)):
        answer = await live.post("/mcp", json=message, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == status


async def test_what_is_no_message_is_refused(live: Client) -> None:
    async def asked(body: Any, **headers: str) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await live.post("/mcp", content=content, headers={"Content-Type": "application/json", **headers})
        return answer.status_code, answer.json()["error"]["code"] if answer.content else None

    one = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert await asked(b"{") == (400, -32700)
    assert (await asked(b"[" * 100_000))[0] == 400
    assert await asked({"jsonrpc": "1.0", "id": 1, "method": "ping"}) == (400, -32600)
    assert await asked([one]) == (400, -32600)
    assert await asked(one | {"method": "resources/list"}) == (200, -32601)
    assert await asked({"jsonrpc": "2.0", "method": "notifications/initialized"}) == (202, None)
    odd = b'{"jsonrpc":"2.0","id":1,"method":"%s","params":{"name":"\xa6","protocolVersion":"\xa6"}}'
    assert await asked(odd % b"tools/call") == (200, -32602)
    assert (await live.post("/mcp", content=odd % b"initialize")).json()["result"]["protocolVersion"] == VERSIONS[0]
    assert await asked(one, **{"MCP-Protocol-Version": "1999-01-01"}) == (400, -32600)
    assert (await live.get("/mcp")).status_code == 405
    far = await live.post("/mcp", json=one, headers={"Origin": "https://evil.example"})
    assert far.status_code == 403
    for version in VERSIONS:
        begun = await live.post("/mcp", json=one | {"method": "initialize", "params": {"protocolVersion": version}})
        assert begun.json()["result"]["protocolVersion"] == version
    begun = await live.post("/mcp", json=one | {"method": "initialize", "params": {"protocolVersion": "2099-01-01"}})
    assert begun.json()["result"]["protocolVersion"] == VERSIONS[0]
