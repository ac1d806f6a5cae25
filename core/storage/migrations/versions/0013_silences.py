"""Silences: incidents that nobody is told of. And the key of the links that acknowledge one."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    "alter table incident drop constraint incident_state_check",
    """
    alter table incident add constraint incident_state_check
        check (state in ('open', 'acknowledged', 'silenced', 'resolved'))
    """,
    "alter table incident add suppressed_by bigint",
    "create index incident_suppressed on incident (suppressed_by) where suppressed_by is not null",
    # With a schedule it holds only in the windows that begin by it, between `from_time` and `until`.
    """
    create table silence (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        matchers jsonb not null,
        from_time timestamptz not null,
        until timestamptz not null,
        recurring jsonb,
        reason text not null,
        version integer not null default 1,
        created_at timestamptz not null,
        created_by text not null,
        ended_by text,
        check (from_time <= until)
    )
    """,
    "create index silence_by_end on silence (project_id, until)",
    # One row; 244 random bits.
    """
    create table signing_key (
        id boolean primary key default true check (id),
        key bytea not null
    )
    """,
    "insert into signing_key (key) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))",
)


def upgrade() -> None:
    """Add the tables, and the state."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
