"""`/api/v1/bell`: how many incidents are open that who asks has not seen."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, put
from litestar.params import JSONBody
from msgspec import Meta

from ...core.alerting import Bells
from ..problems import described
from .node import NodeDependency, ProjectDependency, who_asks

ReadUpto = Annotated[int, Meta(description="The newest incident that was seen; none: 0")]


class Bell(msgspec.Struct, frozen=True):
    """The bell of an account in its project."""

    unread: Annotated[int, Meta(description="Open incidents above `read_upto`")]
    read_upto: ReadUpto


class BellBody(msgspec.Struct, frozen=True):
    """What was seen."""

    read_upto: Annotated[int, Meta(ge=0, description="The newest incident that was seen", examples=[17])]


@get(
    "/api/v1/bell",
    operation_id="getBell",
    summary="Incidents that you have not seen",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def get_bell(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Bell:
    """How many incidents are open that this account has not seen, on whatever machine it looked."""
    found = await Bells(node.store.pool).get(project_id, who_asks(request).account_id)
    return Bell(found.unread, found.read_upto)


@put(
    "/api/v1/bell",
    operation_id="readBell",
    summary="Say that you have seen them",
    tags=["alerts"],
    status_code=200,
    opt={"access": "query"},
    responses=described(),
)
async def read_bell(
    data: JSONBody[BellBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Bell:
    """All incidents up to this one are seen. What was seen stays seen: a smaller number changes nothing."""
    found = await Bells(node.store.pool).read(project_id, who_asks(request).account_id, data.read_upto)
    return Bell(found.unread, found.read_upto)
