"""`limits:`, what may come in, how fast, and how much memory it may take. `docs/limits.md` is their page."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from ..plugins.described import Described
from ..plugins.fields import MAX_ATTRIBUTES, MAX_NAME
from ..plugins.ndjson import MAX_DEPTH
from .units import Duration, Size, parse_duration

MIB: Final = 1024 * 1024


class _Model(Described, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[Size, Field(ge=1)]


class ProjectLimits(_Model):
    """How much of one project comes in, and how large an event may be. A rate that is not given has no limit."""

    event_size: Bytes = MIB
    """Bytes of an event's texts together; the longest are cut, and the attribute `truncated` keeps what it had."""
    field_name: Annotated[int, Field(ge=32, le=MAX_NAME)] = MAX_NAME
    """Characters of a field's name; of a longer one the start and a hash are left."""
    depth: Annotated[int, Field(ge=0, le=MAX_DEPTH)] = MAX_DEPTH
    """Levels of nesting that become dotted names; what lies deeper stays JSON under the name reached."""

    events_per_second: Count | None = None
    """Events a second that a node takes of a project, in the long run."""
    bytes_per_second: Bytes | None = None
    """Bytes a second that a node takes of a project, uncompressed, in the long run."""
    burst: Duration = parse_duration("10s")
    """How much may come at once after a pause: what the rates allow in this time."""
    daily_bytes: Bytes | None = None
    """Bytes that a project may send on a day (UTC), uncompressed, to all nodes together."""


class Limits(ProjectLimits):
    """`limits:`. Those of a project hold for every project that is not named under `projects`."""

    fields: Annotated[int, Field(ge=10, le=MAX_ATTRIBUTES)] = MAX_ATTRIBUTES
    """Fields of a segment that have a column each; the rarest beyond are kept in the attribute `overflow`."""
    body_size: Bytes = 64 * MIB
    """Bytes of a request's body, decompressed; a larger one is refused with 413."""
    compressed_body_size: Bytes = 64 * MIB
    """Bytes of a request's body as it came; a larger one is refused with 413."""
    bodies_in_flight: Bytes = 256 * MIB
    """Bytes of all bodies that are being worked on; further ones wait, then are refused with 429."""
    ingest_memory: Bytes = 96 * MIB
    """Bytes of what is taken in and not yet committed; sources wait for room."""
    spool: Annotated[Size, Field(ge=MIB)] = 1024 * MIB
    """Bytes on a node's disk of what sources that cannot wait (UDP) take in while the store takes nothing; what has no
    room is lost, and counted."""
    query_memory: Bytes = 2_000_000_000
    """Bytes that all queries together may take; beyond, they use the disk, or fail and say so."""
    joined_rows: Count = 10_000_000
    """Rows that a `join` in a query may make; one that makes more is refused."""
    queries: Count = 4
    """Queries that run at once, one fewer of one user; further ones wait, those of each user in turn."""
    waiting_queries: Count = 100
    """Queries of one user that wait; further ones are refused with 429."""
    dead_letters: Count = 100_000
    """Dead letters of a project; beyond, the oldest go, and are counted."""
    dead_letter_bytes: Bytes = 256 * MIB
    """Bytes of a project's dead letters; beyond, the oldest go, and are counted."""
    connections: Count = 1000
    """Connections to the HTTP port; for further ones the longest idle is closed, and where none is idle they are
    answered with 503."""
    projects: dict[str, ProjectLimits] = {}
    """Limits of single projects, by name; what they do not say is as for all."""

    def of(self, project: str) -> ProjectLimits:
        """The limits of a project.

        >>> limits = Limits.model_validate({"daily_bytes": "1GB", "projects": {"shop": {"daily_bytes": None}}})
        >>> limits.of("default").daily_bytes, limits.of("shop").daily_bytes
        (1000000000, None)
        """
        general = {name: getattr(self, name) for name in ProjectLimits.model_fields}
        own = self.projects.get(project)
        given = {name: getattr(own, name) for name in own.model_fields_set} if own else {}
        return ProjectLimits.model_construct(**general | given)
