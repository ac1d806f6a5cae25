"""`/schema`: the OpenAPI document, and a page to read it and try it that needs nothing from elsewhere."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader
from litestar import Litestar, Request, Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)

from .. import __version__
from ..plugins import HttpSource
from .problems import MEDIA_TYPE

DESCRIPTION: Final = """\
Until a user exists, only this machine is served, and nobody signs in. After that: `Authorization: Bearer TOKEN`, Basic
with the token as password, or a session cookie. Errors are RFC 9457 problems. Times are RFC 3339 in UTC."""
_TEMPLATES: Final = Path(__file__).parent / "templates"


class SchemaPage(OpenAPIRenderPlugin):
    """The document as a page: every operation with its parameters, and a form to send it."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._template = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True).get_template("schema.html")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """HTML."""
        operations = [
            {"method": method.upper(), "path": path, "body": example_body(openapi_schema, operation), **operation}
            for path, methods in openapi_schema["paths"].items()
            for method, operation in methods.items()
        ]
        by_tag: dict[str, list[dict[str, Any]]] = {}
        for operation in operations:
            by_tag.setdefault((operation.get("tags") or ["other"])[0], []).append(operation)
        return self._template.render(info=openapi_schema["info"], tags=by_tag).encode()


@get("/try.js", include_in_schema=False, media_type="text/javascript")
async def try_script() -> Response[bytes]:
    """The page's script: a file of its own, for the page may have none inline."""
    return Response((_TEMPLATES / "schema.js").read_bytes(), media_type="text/javascript")


class Document(OpenAPI):
    """The OpenAPI document, completed when it is written: what Litestar does not know is added then."""

    sources: Iterable[type[HttpSource[Any]]] = ()

    def to_schema(self) -> dict[str, Any]:
        """All of it as JSON values."""
        assert self.paths is not None
        _describe_sizes(self.paths)
        _describe_sources(self.paths, self.sources)
        return super().to_schema()


class DocumentConfig(OpenAPIConfig):
    """What makes the document, which is when somebody asks for it: it takes as long as the application itself."""

    sources: Iterable[type[HttpSource[Any]]] = ()

    def to_openapi_schema(self) -> OpenAPI:
        """The document, for Litestar to put its paths in."""
        made = super().to_openapi_schema()
        document = Document(**{field.name: getattr(made, field.name) for field in fields(made)})
        document.sources = self.sources
        return document


def openapi_config(sources: Iterable[type[HttpSource[Any]]]) -> OpenAPIConfig:
    """Title, security, where the document is served, and the sources whose routes are in it."""
    config = DocumentConfig(
        title="Cordwood",
        version=__version__,
        description=DESCRIPTION,
        openapi_router=Router("/schema", route_handlers=[try_script], opt={"access": "open"}, include_in_schema=False),
        render_plugins=[SchemaPage(), JsonRenderPlugin()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "basic": SecurityScheme(type="http", scheme="basic", description="The token is the password"),
                "session": SecurityScheme(type="apiKey", name="cordwood_session", security_scheme_in="cookie"),
            }
        ),
        security=[{"bearer": []}, {"basic": []}, {"session": []}, {}],
    )
    config.sources = sources
    return config


def _describe_sources(paths: dict[str, PathItem], sources: Iterable[type[HttpSource[Any]]]) -> None:
    """Add the routes of HTTP sources to the document: they are not Litestar's, but whoever reads it looks for them."""
    for source in sources:
        summary, _, about = inspect.cleandoc(source.__doc__ or source.type).partition("\n")
        for method, path in source.routes:
            public = method in ("GET", "HEAD") and source.public is not HttpSource.public
            words = re.findall(r"[A-Za-z0-9]+", path)
            operation = Operation(
                operation_id=method.lower() + "".join(word.capitalize() for word in words),
                tags=["ingest"],
                summary=summary,
                description=about.strip() or summary,
                parameters=[
                    Parameter(name, "path", _TEXT, description="Part of the path", required=True)
                    for name in re.findall(r"\{(\w+)\}", path)
                ],
                request_body=None if public else _REQUEST,
                responses={**(_ANSWERS if source.refusal is HttpSource.refusal and not public else _OWN_ANSWERS)},
            )
            setattr(paths.setdefault(path, PathItem()), method.lower(), operation)


def _describe_sizes(paths: dict[str, PathItem]) -> None:
    """Add what is answered to a body that is too large to every operation that takes one."""
    for item in paths.values():
        for operation in (item.post, item.put, item.patch):
            answers = (operation and operation.request_body and operation.responses) or {}
            if "400" in answers:
                answers.setdefault("413", _TOO_LARGE)


_TEXT: Final = Schema(type=OpenAPIType.STRING)
_BINARY: Final = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
_PROBLEM: Final = Reference("#/components/schemas/Problem")
_BODY: Final = "Its Content-Encoding may be gzip, deflate or zstd"
_REQUEST: Final = RequestBody({"application/octet-stream": OpenAPIMediaType(_BINARY)}, description=_BODY)
_ANSWERS: Final = {
    "200": OpenAPIResponse("After the commit", content={"application/json": OpenAPIMediaType(Schema())})
} | {
    str(status): OpenAPIResponse(HTTPStatus(status).phrase, content={MEDIA_TYPE: OpenAPIMediaType(_PROBLEM)})
    for status in (400, 401, 403, 413, 415, 429, 500, 503)
}


_TOO_LARGE: Final = OpenAPIResponse(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase, content={MEDIA_TYPE: OpenAPIMediaType(_PROBLEM)}
)
_OWN_ANSWERS: Final = {"default": OpenAPIResponse("As the servers of this format answer: after the commit, or why not")}


def document(app: Litestar) -> bytes:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(app.openapi_schema.to_schema()), indent=2) + b"\n"


def example_body(schema: dict[str, Any], operation: dict[str, Any]) -> str:
    """A body for the operation made of the examples in its schema; empty where it takes none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return ""
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    found = schema["components"]["schemas"].get(name, {})
    required = found.get("required", ())
    values = {
        key: (value.get("examples") or [""])[0] for key, value in found.get("properties", {}).items() if key in required
    }
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode()
