"""The OpenAPI document: complete, made without a database, and true: every answer fits its schema."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from cordwood.web.app import create_api
from cordwood.web.auth.roles import PERMISSIONS
from cordwood.web.schema import document
from markupsafe import escape

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
DOCUMENT = json.loads(document(create_api(None)))
SCHEMAS = DOCUMENT["components"]["schemas"]
NDJSON = "application/x-ndjson"
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def misfits(value: Any, schema: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Where a value does not fit: enough of JSON Schema for what our document uses."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema:
        if not any(not list(misfits(value, option)) for option in schema["oneOf"]):
            yield f"{at}: {value!r} is none of {schema['oneOf']}"
        return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [kind for kind in kinds if (value is None if kind == "null" else isinstance(value, TYPES[kind]))]
    if kinds and (not fits or (isinstance(value, bool) and "boolean" not in kinds)):
        yield f"{at}: {value!r} is no {kinds}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from misfits(item, schema["items"], f"{at}[{i}]")
    if isinstance(value, dict) and "properties" in schema:
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}: {name} is missing"
        for name, item in value.items():
            if name not in schema["properties"]:
                yield f"{at}: {name} is not in the document"
            else:
                yield from misfits(item, schema["properties"][name], f"{at}.{name}")


def test_every_operation_is_described() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations():
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        assert re.fullmatch("[a-z]+[A-Za-z0-9]+", operation["operationId"])
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), (method, path, parameter["name"])
        if path.startswith("/api/v1/") and path != "/api/v1/validate":  # which is Datadog's, as are its errors
            problem = operation["responses"]["400"]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_path_of_this_release_is_there() -> None:
    assert set(DOCUMENT["paths"]) >= {
        "/api/v1/logs", "/api/v1/query", "/api/v1/query/{id}", "/api/v1/explain", "/api/v1/tail", "/api/v1/fields",
        "/api/v1/fields/{name}/values", "/api/v1/detectors", "/api/v1/incidents", "/api/v1/incidents/{id}",
        "/api/v1/incidents/{id}/acknowledge", "/api/v1/incidents/{id}/resolve", "/api/v1/notifications",
        "/api/v1/status", "/api/v1/plugins", "/api/v1/pipelines", "/api/v1/session", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip


def test_no_route_is_forgotten_by_the_gate() -> None:
    for route in create_api(None).routes:
        for handler in getattr(route, "route_handlers", ()):
            if "OPTIONS" not in handler.http_methods:
                assert handler.opt.get("access") in ("open", *PERMISSIONS), route.path


def test_it_is_written_without_a_database_or_a_warning() -> None:
    made = subprocess.run(
        [sys.executable, "-W", "error", "-m", "cordwood.web.openapi"], capture_output=True, check=True, timeout=60
    )
    assert json.loads(made.stdout) == DOCUMENT
    assert made.stderr == b""


async def test_it_is_served(client: Client) -> None:
    answer = await client.get("/schema/openapi.json")
    assert answer.json()["paths"].keys() == DOCUMENT["paths"].keys()
    page = (await client.get("/schema")).text
    for _, path, operation in operations():
        assert path in page
        assert escape(operation["summary"]) in page


async def test_every_answer_fits_its_schema(client: Client) -> None:
    await client.logs({"message": "x", "service": "a", "n": 1, "mixed": 1}, {"mixed": "one", "list": [1]})
    bodies = {
        "/api/v1/query": [{"query": ""}, {"query": "| stats count() as n by service"}, {"query": "| nope"}],
        "/api/v1/explain": [{"query": "service:a"}, {"query": "("}],
        "/api/v1/session": [{"email": "a@b", "password": "wrong"}, {}],
    }
    seen: set[tuple[str, int]] = set()
    for method, path, operation in operations():
        if path == "/api/v1/tail":
            continue
        real = path.replace("{name}", "service").replace("{id}", "7")
        for body in bodies.get(path, [None]) if method == "post" else [None]:
            answer = await client.request(method.upper(), real, json=body)
            described = operation["responses"].get(str(answer.status_code)) or operation["responses"].get("default")
            assert described, (method, path, answer.status_code, answer.text)
            content = described.get("content") or {}
            kind = answer.headers.get("content-type", "").partition(";")[0]
            if content:
                assert kind in content, (method, path, kind)
            if kind.endswith("json") and kind != NDJSON and "default" not in operation["responses"]:
                wrong = list(misfits(answer.json(), content[kind]["schema"]))
                assert not wrong, (method, path, wrong)
            seen.add((path, answer.status_code))
    assert ("/api/v1/query", 200) in seen
    assert ("/api/v1/query", 400) in seen
    assert ("/api/v1/incidents/{id}", 404) in seen
