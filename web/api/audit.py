"""`/api/v1/audit`: who changed what. Administrators of `default` see all, others what is of their project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, TypeAlias

import asyncpg
import msgspec
from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Meta

from ...core.paging import before, page
from ...core.storage import audit as storage
from ...core.storage.audit import AuditFilter, audit_entries
from ...plugins import rfc3339
from ..problems import described
from .alerts import Cursor, Limit
from .formats import NDJSON
from .node import NodeDependency, ProjectDependency
from .times import Time, time_ns
from .users import seen

_PART: Final = 1000  # entries read at once for an export
What: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=100, description="Only these, such as deletion.create, or deletion")
]
Who: TypeAlias = Annotated[str | None, QueryParameter(max_length=500, description="Only by this one")]
From: TypeAlias = Annotated[str | None, QueryParameter(name="from", description="RFC 3339, inclusive")]
To: TypeAlias = Annotated[str | None, QueryParameter(name="to", description="RFC 3339, exclusive")]


class AuditEntry(msgspec.Struct, frozen=True):
    """A change that somebody made."""

    id: int
    at: Time
    who: Annotated[str, Meta(description="An account or a token, by name", examples=["ann@example.org"])]
    what: Annotated[str, Meta(description="A noun and a verb", examples=["deletion.create"])]
    project: str | None
    details: dict[str, Any]
    seq: Annotated[int, Meta(description="Its place in the order of commits, without gaps")]
    hash: Annotated[str, Meta(description="SHA-256, in hex, of the entry and of the hash before it")]


class AuditList(msgspec.Struct, frozen=True):
    """A page of the audit log, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


@get(
    "/api/v1/audit",
    operation_id="listAudit",
    summary="Who changed what, newest first",
    tags=["audit"],
    opt={"access": "admin"},
    responses=described(),
)
async def list_audit(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 50,
    what: What = None,
    who: Who = None,
    from_: From = None,
    to: To = None,
) -> AuditList:
    """The audit log, newest first: changes, and who signed in or was refused."""
    wanted = _filter(seen(request, project_id), what, who, from_, to)
    found = await audit_entries(node.store.pool, wanted, before=before(cursor), limit=limit + 1)
    part = page(found, limit, lambda entry: str(entry.id))
    return AuditList([_shown(entry) for entry in part.items], part.next_cursor)


@get(
    "/api/v1/audit/export",
    operation_id="exportAudit",
    summary="The audit log as NDJSON",
    tags=["audit"],
    media_type=NDJSON,
    opt={"access": "admin"},
    responses=described(),
)
async def export_audit(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    what: What = None,
    who: Who = None,
    from_: From = None,
    to: To = None,
) -> Stream:
    """All entries that the filters let through, newest first, an object a line."""
    wanted = _filter(seen(request, project_id), what, who, from_, to)
    headers = {"Content-Disposition": 'attachment; filename="audit.ndjson"'}
    return Stream(_lines(node.store.pool, wanted), media_type=NDJSON, headers=headers)


async def _lines(pool: asyncpg.Pool, wanted: AuditFilter) -> AsyncIterator[bytes]:
    last = before(None)
    while entries := await audit_entries(pool, wanted, before=last, limit=_PART):
        last = entries[-1].id
        yield b"".join(msgspec.json.encode(_shown(entry)) + b"\n" for entry in entries)


def _filter(
    project_id: int | None, what: str | None, who: str | None, from_: str | None, to: str | None
) -> AuditFilter:
    return AuditFilter(project_id, what, who, time_ns(from_, "from"), time_ns(to, "to"))


def _shown(entry: storage.AuditEntry) -> AuditEntry:
    return AuditEntry(
        entry.id, rfc3339(entry.at), entry.who, entry.what, entry.project, entry.details, entry.seq, entry.hash
    )
