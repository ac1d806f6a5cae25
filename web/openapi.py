"""The OpenAPI document. `python -m cordwood.web.openapi > web/ui/openapi.json` writes it without a database."""

from __future__ import annotations

import sys
from typing import Final

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from .. import __version__

DESCRIPTION: Final = """\
Until a user exists, only this machine is served, and nobody signs in. After that: `Authorization: Bearer TOKEN`, Basic
with the token as password, or a session cookie. Errors are RFC 9457 problems. Times are RFC 3339 in UTC."""


def openapi_config() -> OpenAPIConfig:
    """Title, security and where the document is served."""
    return OpenAPIConfig(
        title="Cordwood",
        version=__version__,
        description=DESCRIPTION,
        path="/schema",
        render_plugins=[JsonRenderPlugin()],
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


def document(app: Litestar) -> bytes:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(app.openapi_schema.to_schema()), indent=2) + b"\n"


if __name__ == "__main__":
    from .app import create_api

    sys.stdout.buffer.write(document(create_api(None)))
