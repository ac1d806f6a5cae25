"""Every route and everybody: who is let in. What is expected stands in `access.txt`, a row a route.

A row: method, path, then for nobody, a token for ingestion, one for queries, a viewer, an editor, an operator, an
administrator, and an administrator of another project: `in`, or the status of the refusal.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cordwood.core.runtime import Node
from cordwood.web.app import create_api
from cordwood.web.auth import accounts, projects, sessions, tokens
from cordwood.web.auth.gate import COOKIE

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
TABLE = Path(__file__).parent / "access.txt"
WHO = ("nobody", "ingest", "query", "viewer", "editor", "operator", "admin", "other")
PASSWORD = "correct horse"
MEANT = {"/api/v1/tail": {"query": "| stats count()"}}
"""Parameters of routes whose answers would have no end."""


def rows() -> dict[tuple[str, str], list[str]]:
    """(method, path) → what each of `WHO` gets."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            method, path, *expected = line.split()
            assert len(expected) == len(WHO), line
            assert (method, path) not in found, line
            found[method, path] = expected
    return found


def routes() -> list[tuple[str, str]]:
    """All routes of the application: of the API and of the sources; that which ends a session comes last."""
    api = create_api(None)
    found = {
        (method.upper(), path)
        for path, item in api.openapi_schema.to_schema()["paths"].items()
        for method in ("get", "post", "put", "patch", "delete", "head")
        if method in item
    }
    for route in api.routes:
        for handler in getattr(route, "route_handlers", ()):
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            found |= {(method, path) for method in handler.http_methods if method != "OPTIONS"}
    return sorted(found, key=lambda route: (route == ("DELETE", "/api/v1/session"), route[1], route[0]))


@pytest.fixture
async def everybody(node: Node) -> dict[str, dict[str, str]]:
    """The headers of each of `WHO`."""
    pool = node.store.pool
    await projects.add_project(pool, "other")
    headers: dict[str, dict[str, str]] = {"nobody": {}}
    for scope in ("ingest", "query"):
        _, secret = await tokens.create_token(pool, scope, [scope])
        headers[scope] = {"Authorization": f"Bearer {secret}"}
    for name in WHO[3:]:
        role, project = ("admin", "other") if name == "other" else (name, "default")
        await accounts.add_user(pool, f"{name}@example.org", PASSWORD, role=role, project=project)
        signed_in = await sessions.sign_in(pool, f"{name}@example.org", PASSWORD)
        assert signed_in is not None
        headers[name] = {"Cookie": f"{COOKIE}={signed_in[1]}"}
    return headers


async def outcome(client: Client, method: str, path: str, headers: dict[str, str]) -> str:
    """`in`, or the status of the refusal. Of what is asked for there is nothing, and the body is empty."""
    real = path.replace("{id}", "987654321")
    real = re.sub(r"\{\w+\}", "nothing", real)
    answer = await client.request(method, real, headers=headers, params=MEANT.get(path))
    return str(answer.status_code) if answer.status_code in (401, 403) else "in"


async def test_everybody_gets_what_the_table_says(client: Client, everybody: dict[str, dict[str, str]]) -> None:
    table, wrong = rows(), []
    for method, path in routes():
        found = [await outcome(client, method, path, everybody[who]) for who in WHO]
        if found != table.get((method, path)):
            wrong.append(f"{method} {path} {' '.join(found)}")
    assert not wrong, f"{TABLE.name} has other rows, or none: is each of these right?\n" + "\n".join(wrong)


def test_the_table_has_no_route_that_there_is_not() -> None:
    assert set(rows()) - set(routes()) == set()
