"""Saved queries: texts under a name, with parameters, that people open and other queries use."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    create table saved_query (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        name text not null,
        text text not null,
        description text not null,
        -- [{"name": …, "default": … or null}], in order.
        parameters jsonb not null,
        created_at timestamptz not null default now(),
        created_by text not null,
        changed_at timestamptz not null default now(),
        changed_by text not null,
        unique (project_id, name)
    )
    """,
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
