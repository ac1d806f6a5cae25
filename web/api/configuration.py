"""`/api/v1/configuration`: what of the node's file is kept with code, as the file says it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get
from msgspec import Meta

from ..problems import described
from .node import NodeDependency


class Configuration(msgspec.Struct, frozen=True):
    """Sections of the running configuration. They are changed in the file, not by the API."""

    sections: Annotated[
        dict[str, dict[str, Any]],
        Meta(
            description="detectors, maintenance, notifiers, recordings, reports, rotas, routes, store (without places)",
            examples=[{"notifiers": {"oncall": {"type": "slack", "token": "${SLACK_TOKEN}", "channel": "#ops"}}}],
        ),
    ]
    in_clear: Annotated[
        list[str],
        Meta(
            description="Settings whose secret stands in the file itself: here each is a `${NAME}` made of its place",
            examples=[["notifiers.oncall.token"]],
        ),
    ]
    files: Annotated[list[str], Meta(description="The files that it was read from; none: the defaults run")]


@get(
    "/api/v1/configuration",
    operation_id="getConfiguration",
    summary="The node's sections that are kept with code",
    tags=["system"],
    opt={"access": "admin"},
    responses=described(),
)
async def get_configuration(node: NodeDependency) -> Configuration:
    """Sections of the running configuration as the file says them; secrets are `${NAME}`, never their values."""
    written = node.config.written
    sections = {name: dict(section) for name, section in written.sections.items()}
    return Configuration(sections, list(written.in_clear), list(node.config.files))
