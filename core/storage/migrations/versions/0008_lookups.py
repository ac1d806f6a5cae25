"""Lookup tables: what people upload to look values of events up in. Each put is a version; the newest few are kept."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    create table lookup_table (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        name text not null,
        version integer not null,
        -- [{"name": …, "kind": …}], in order.
        columns jsonb not null,
        rows bigint not null,
        -- Parquet, compressed by itself.
        data bytea not null,
        created_at timestamptz not null default now(),
        created_by text not null,
        unique (project_id, name, version)
    )
    """,
    "alter table lookup_table alter column data set storage external",
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
