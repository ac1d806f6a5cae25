"""`/api/v1/roles`: the built-in roles, and those that administrators make: by permission, and by what is seen."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta

from ...core.query.request import Mask, Rights
from ..auth import custom_roles
from ..auth.custom_roles import CustomRole
from ..auth.roles import ROLES, Permission
from ..problems import described
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks
from .users import IfMatch

RoleName: TypeAlias = Annotated[str, PathParameter(name="name", max_length=63, description="The role's name")]
MOST_MASKS = 100


class MaskedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is not shown as it is."""

    field: Annotated[str, Meta(min_length=1, max_length=1000, examples=["user.email"])]
    how: Annotated[str, Meta(pattern="^(stars|hash)$", description="`stars`, or `hash`: equal values stay equal")] = (
        "stars"
    )


class RoleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a role may do and see."""

    permissions: Annotated[list[Permission], Meta(max_length=5, examples=[["query", "edit"]])]
    search: Annotated[
        str,
        Meta(max_length=10_000, description="Only events that this finds; empty: all", examples=["service:checkout"]),
    ] = ""
    masks: Annotated[list[MaskedField], Meta(max_length=MOST_MASKS)] = []


class NewRole(RoleBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A role that is to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=63, examples=["support"])]


class Role(msgspec.Struct, frozen=True):
    """A role."""

    name: Annotated[str, Meta(examples=["support"])]
    built_in: bool
    permissions: list[Permission]
    search: str
    masks: list[MaskedField]


class RoleList(msgspec.Struct, frozen=True):
    """The built-in roles, then one's own by name."""

    items: list[Role]


@get(
    "/api/v1/roles",
    operation_id="listRoles",
    summary="Roles",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(),
)
async def list_roles(node: NodeDependency, project_id: ProjectDependency) -> RoleList:
    """The built-in roles, and those of the project."""
    built_in = [Role(name, True, sorted(permissions), "", []) for name, permissions in ROLES.items()]
    return RoleList([*built_in, *map(_shown, await custom_roles.list_roles(node.store.pool, project_id))])


@get(
    "/api/v1/roles/{name:str}",
    operation_id="getRole",
    summary="A role that was made",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(404),
)
async def get_role(node: NodeDependency, project_id: ProjectDependency, role_name: RoleName) -> Response[Role]:
    """One role of the project, with its ETag."""
    return _answer(await custom_roles.get_role(node.store.pool, project_id, role_name))


@post(
    "/api/v1/roles",
    operation_id="createRole",
    summary="Make a role",
    tags=["access"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(409),
)
async def create_role(
    data: JSONBody[NewRole], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[Role]:
    """Make a role. Who sees a part of the events can be given neither `admin` nor `ingest`."""
    return _answer(await _put(data, data.name, request, node, project_id, is_new=True), 201)


@put(
    "/api/v1/roles/{name:str}",
    operation_id="changeRole",
    summary="Change a role",
    tags=["access"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(404, 409, 412),
)
async def change_role(
    data: JSONBody[RoleBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    role_name: RoleName,
    if_match: IfMatch = None,
) -> Response[Role]:
    """Put another role in the place of this one. It counts at once for everybody who has it."""
    made = await _put(data, role_name, request, node, project_id, is_new=False, etag=if_match)
    gate.distrust()
    return _answer(made)


@delete(
    "/api/v1/roles/{name:str}",
    operation_id="deleteRole",
    summary="Delete a role",
    tags=["access"],
    status_code=204,
    opt={"access": "admin"},
    responses=described(404, 409),
)
async def delete_role(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, role_name: RoleName
) -> None:
    """Delete a role that no account has."""
    await custom_roles.delete_role(node.store.pool, project_id, role_name, by=who_asks(request).name)


async def _put(
    data: RoleBody,
    name: str,
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: int,
    *,
    is_new: bool,
    etag: str | None = None,
) -> CustomRole:
    masks = tuple(Mask(mask.field, "hash" if mask.how == "hash" else "stars") for mask in data.masks)
    node.engine.check_rights(Rights(name, data.search, masks))
    by = who_asks(request).name
    return await custom_roles.put_role(
        node.store.pool, project_id, name, data.permissions, data.search, masks, etag=etag, is_new=is_new, by=by
    )


def _answer(role: CustomRole, status: int = 200) -> Response[Role]:
    return Response(_shown(role), status_code=status, headers={"ETag": role.etag})


def _shown(role: CustomRole) -> Role:
    masks = [MaskedField(mask.field, mask.how) for mask in role.masks]
    return Role(role.name, False, list(role.permissions), role.search, masks)
