"""`/api/v1/lookups`: tables that people upload, for `lookup` and `in` in queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, put
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ...core.query import lookup_store as storage
from ...core.query.lookup_files import MOST_BYTES
from ...plugins import in_worker, rfc3339
from ..problems import NotFoundProblem, described
from .formats import CSV
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time

PARQUET = "application/vnd.apache.parquet"
TableName = Annotated[str, PathParameter(name="name", max_length=100, description="The table's name, as in queries")]


class LookupColumn(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    kind: Annotated[str, Meta(description="text int float bool or time")]


class Lookup(msgspec.Struct, frozen=True):
    """A version of a lookup table."""

    name: Annotated[str, Meta(examples=["owners"])]
    version: Annotated[int, Meta(description="Counts from 1; queries read the newest")]
    columns: list[LookupColumn]
    rows: int
    bytes: Annotated[int, Meta(description="As it is kept, compressed")]
    created_at: Time
    created_by: str


class LookupList(msgspec.Struct, frozen=True):
    """Lookup tables by name, each in its newest version."""

    items: list[Lookup]


class LookupDetails(msgspec.Struct, frozen=True):
    """A lookup table: the versions that are kept, the newest first."""

    name: str
    versions: list[Lookup]


@dataclass
class UploadOperation(Operation):
    """Adds to the OpenAPI document what the body is."""

    def __post_init__(self) -> None:
        """See `Operation`."""
        binary = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
        content = {media_type: OpenAPIMediaType(binary) for media_type in (CSV, PARQUET)}
        self.request_body = RequestBody(content, required=True, description="CSV with a header, or Parquet")


@get(
    "/api/v1/lookups",
    operation_id="listLookups",
    summary="Lookup tables",
    tags=["lookups"],
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def list_lookups(node: NodeDependency, project_id: ProjectDependency) -> LookupList:
    """All tables of the project, by name, each in its newest version."""
    return LookupList([_shown(table) for table in await node.lookups.newest(project_id)])


@get(
    "/api/v1/lookups/{name:str}",
    operation_id="getLookup",
    summary="A lookup table's versions",
    tags=["lookups"],
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def get_lookup(node: NodeDependency, project_id: ProjectDependency, table_name: TableName) -> LookupDetails:
    """The versions that are kept of a table: the ten newest."""
    found = await node.lookups.versions(project_id, table_name)
    if not found:
        raise _missing(table_name)
    return LookupDetails(table_name, [_shown(table) for table in found])


@get(
    "/api/v1/lookups/{name:str}/data",
    operation_id="getLookupData",
    summary="The rows of a lookup table",
    tags=["lookups"],
    media_type=CSV,
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def get_lookup_data(
    node: NodeDependency,
    project_id: ProjectDependency,
    table_name: TableName,
    version: Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1, description="Another than the newest")] = None,
) -> Response[str]:
    """The rows of a version as CSV."""
    frame = await node.lookups.data(project_id, table_name, version)
    if frame is None:
        raise _missing(table_name)
    return Response(await in_worker(frame.write_csv), media_type=CSV)


@put(
    "/api/v1/lookups/{name:str}",
    operation_class=UploadOperation,
    operation_id="putLookup",
    summary="Upload a lookup table",
    tags=["lookups"],
    status_code=200,
    opt={"access": "edit", "filtered": True},
    request_max_body_size=MOST_BYTES,
    responses=described(413),
)
async def put_lookup(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, table_name: TableName
) -> Lookup:
    """Make a table, or a new version of one. The body is CSV with a header, or Parquet, up to 16 MiB."""
    made = await node.lookups.put(project_id, table_name, await request.body(), who_asks(request).name)
    return _shown(made)


@delete(
    "/api/v1/lookups/{name:str}",
    operation_id="deleteLookup",
    summary="Delete a lookup table",
    tags=["lookups"],
    status_code=204,
    opt={"access": "edit", "filtered": True},
    responses=described(404),
)
async def delete_lookup(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, table_name: TableName
) -> None:
    """Delete a table with all its versions. Queries that name it fail from then on."""
    if not await node.lookups.delete(project_id, table_name, who_asks(request).name):
        raise _missing(table_name)


def _missing(name: str) -> NotFoundProblem:
    return NotFoundProblem(f"there is no such version of a lookup table `{name}`; /api/v1/lookups lists what there is")


def _shown(table: storage.LookupTable) -> Lookup:
    columns = [LookupColumn(column.name, column.kind) for column in table.columns]
    return Lookup(
        table.name, table.version, columns, table.rows, table.bytes, rfc3339(table.created_at), table.created_by
    )
