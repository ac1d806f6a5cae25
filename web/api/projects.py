"""`/api/v1/projects`: the tenants. Administrators of `default` see and make them, others see their own."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ...plugins import rfc3339
from ..auth import projects
from ..problems import NotFoundProblem, described
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time
from .users import seen


class NewProject(msgspec.Struct, frozen=True):
    """A project that is to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=63, description="a-z, 0-9, _ and -", examples=["shop"])]


class Project(msgspec.Struct, frozen=True):
    """A tenant: its events, accounts and tokens are its own."""

    name: Annotated[str, Meta(examples=["default"])]
    created_at: Time
    events: Annotated[int, Meta(description="Events it holds")]
    bytes: Annotated[int, Meta(description="Bytes of their segments")]


class ProjectList(msgspec.Struct, frozen=True):
    """Projects by name."""

    items: list[Project]


@get(
    "/api/v1/projects",
    operation_id="listProjects",
    summary="Projects",
    tags=["access"],
    opt={"access": "query"},
    responses=described(),
)
async def list_projects(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> ProjectList:
    """All projects by name, for who is of `default`; else one's own."""
    found = await projects.list_projects(node.store.pool, seen(request, project_id))
    return ProjectList([_shown(project) for project in found])


@get(
    "/api/v1/projects/{name:str}",
    operation_id="getProject",
    summary="One project",
    tags=["access"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_project(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    project_name: Annotated[str, PathParameter(name="name", max_length=200, description="The project's name")],
) -> Project:
    """One project, with what it holds."""
    for project in await projects.list_projects(node.store.pool, seen(request, project_id)):
        if project.name == project_name:
            return _shown(project)
    raise NotFoundProblem(f"there is no project {project_name[:60]!r}")


@post(
    "/api/v1/projects",
    operation_id="createProject",
    summary="Make a project",
    tags=["access"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(409),
)
async def create_project(data: JSONBody[NewProject], request: Request[Any, Any, Any], node: NodeDependency) -> Project:
    """Make a project. Tokens and accounts that are made in it send and see its events alone."""
    return _shown(await projects.add_project(node.store.pool, data.name, by=who_asks(request).name))


def _shown(project: projects.Project) -> Project:
    return Project(project.name, rfc3339(project.created_at), project.events, project.bytes)
