"""Recorded metrics: what recordings made of the events, step by step."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
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
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
