"""How far each output has come."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    # `pending`: the events up to it are on the way with one key, and go with the same again after a crash.
    """
    create table output_state (
        project_id integer not null references project,
        name text not null,
        type text not null,
        settings text not null,
        position bigint not null,
        pending bigint,
        events bigint not null default 0,
        state text not null default 'ok' check (state in ('ok', 'waiting', 'failed')),
        error text,
        seen_until timestamptz,
        primary key (project_id, name)
    )
    """,
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
