"""How far outputs have come, silences, recorded metrics, and when who is signed in last proved it."""

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
    # Steps before `recorded_until` are recorded with the events of the commits up to `position`.
    """
    create table recording_state (
        project_id integer not null references project,
        name text not null,
        since timestamptz not null,
        recorded_until timestamptz not null,
        position bigint not null default 0,
        step interval not null,
        keep interval not null,
        dropped bigint not null default 0,
        error text,
        primary key (project_id, name)
    )
    """,
    # `digest`: SHA-256 of the labels, which may be longer than an index takes. `total` only grows.
    """
    create table metric_series (
        id bigint generated always as identity primary key,
        project_id integer not null,
        recording text not null,
        labels jsonb not null,
        digest bytea not null,
        total double precision not null default 0,
        unique (project_id, recording, digest),
        foreign key (project_id, recording) references recording_state on delete cascade
    )
    """,
    # `at` is where the step begins; `counted`: so much of it is in the total.
    """
    create table metric_sample (
        series_id bigint not null references metric_series on delete cascade,
        at timestamptz not null,
        value double precision,
        counted double precision not null default 0,
        primary key (series_id, at)
    )
    """,
    # Null: they have not since the session began at a provider, which may have known them from before.
    "alter table session add confirmed_at timestamptz",
    "update session set confirmed_at = created_at",
)


def upgrade() -> None:
    """Add the tables, the state of incidents, and the column."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
