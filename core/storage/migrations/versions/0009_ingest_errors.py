"""Dead letters: events that a pipeline could not read, as they entered it, with the reason."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    create table ingest_error (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        at timestamptz not null default now(),
        source text not null,
        pipeline text not null,
        -- The step's number, from 1, and its parser.
        step integer not null,
        parser text not null,
        reason text not null,
        -- The begin of the event's message, for people; the event is `event`, see `core/storage/dead_letters.py`.
        message text not null,
        event bytea not null,
        bytes integer not null,
        attempts integer not null default 1,
        tried_at timestamptz not null default now()
    )
    """,
    "alter table ingest_error alter column event set storage external",
    "create index on ingest_error (project_id, id)",
    # A row a project, locked by whoever changes its dead letters.
    """
    create table ingest_error_usage (
        project_id integer primary key references project,
        count bigint not null default 0,
        bytes bigint not null default 0,
        -- The oldest, which went because there were too many.
        dropped bigint not null default 0
    )
    """,
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
