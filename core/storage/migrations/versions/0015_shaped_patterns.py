"""Patterns as people shaped them."""

from alembic import op

revision = "0015"
down_revision = "0013"

STATEMENTS = (
    # The first of `patterns` is what it is known by; `split` the number of the placeholder it is split by, from 1.
    """
    create table shaped_pattern (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        patterns text[] not null check (cardinality(patterns) > 0),
        name text,
        split integer,
        version integer not null default 1,
        created_at timestamptz not null default now(),
        created_by text not null,
        changed_at timestamptz not null default now(),
        changed_by text not null,
        check (split is null or (split > 0 and cardinality(patterns) = 1))
    )
    """,
    "create index shaped_pattern_project_id on shaped_pattern (project_id, id)",
    "create unique index shaped_pattern_name on shaped_pattern (project_id, name)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
