"""Segments' bytes in parts, that are emptied as wholes; each segment's place and checksum.

Deleted rows of a table that holds bytes cost a VACUUM, which reads them again, and leave holes that no other row may
fill for long. So rows are never deleted: `segment_file` has parts, of which two at a time are written to, and one in
which nothing is alive is truncated (see `core.storage.parts`).
"""

from alembic import op

revision = "0004"
down_revision = "0003"

LAST_PART = 30
"""1 to 6 are for segments of level 0, which are merged within minutes, the others for merged segments; part 0 is the
table as it was before: attached, not copied."""
QUIET = "autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1"
"""Rows are only added, and go all at once: to visit them before they must be frozen reads all bytes for nothing."""

STATEMENTS = (
    "alter table segment_file rename to segment_file_0",
    "alter table segment_file_0 drop constraint segment_file_pkey",
    "alter table segment_file_0 add column part smallint not null default 0",
    "alter table segment_file_0 alter column part drop default",
    "alter table segment_file_0 add primary key (segment_id, part)",
    f"alter table segment_file_0 set ({QUIET})",
    """
    create table segment_file (
        segment_id bigint not null,
        data bytea not null,
        part smallint not null,
        primary key (segment_id, part)
    ) partition by list (part)
    """,
    "alter table segment_file alter column data set storage external",
    "alter table segment_file attach partition segment_file_0 for values in (0)",
    *(
        f"create table segment_file_{part} partition of segment_file for values in ({part}) with ({QUIET})"
        for part in range(1, LAST_PART + 1)
    ),
    """
    create table segment_part (
        part smallint primary key,
        kind text not null check (kind in ('commit', 'merged')),
        current boolean not null default false
    )
    """,
    "create unique index segment_part_current on segment_part (kind) where current",
    "insert into segment_part select n, 'commit', n = 1 from generate_series(1, 6) n",
    "insert into segment_part select n, 'merged', n = 7 from (select 0 union select generate_series(7, 30)) p (n)",
    # SHA-256, which PostgreSQL can compute as well: a check of all segments moves no bytes.
    "alter table segment add column checksum bytea not null default ''",
    "alter table segment add column place text not null default 'postgresql'",
    "alter table segment add column part smallint",
    "update segment set part = 0",
    "update segment set checksum = sha256(f.data) from segment_file_0 f where f.segment_id = segment.id",
    "alter table segment alter column checksum drop default",
    "alter table segment alter column place drop default",
    "alter table segment add constraint segment_part_in_postgresql check ((part is null) = (place <> 'postgresql'))",
    "create index segment_by_part on segment (part)",
    "create index segment_by_place on segment (place) where place <> 'postgresql'",
)


def upgrade() -> None:
    """Make the parts and attach what is there."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
