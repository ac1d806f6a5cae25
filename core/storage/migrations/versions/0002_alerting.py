"""Detectors and how far each has judged, incidents, and the outbox of notifications."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # What the configuration says (for the API on every node) beside how far the detector has come.
    """
    create table detector_state (
        project_id integer not null references project,
        name text not null,
        type text not null,
        query text not null,
        condition text,
        "window" text not null,
        every text not null,
        notify jsonb not null,
        severity text not null,
        active boolean not null default true,
        state text not null default 'ok' check (state in ('ok', 'firing', 'error')),
        error text,
        last_run_at timestamptz,
        evaluated_until timestamptz not null,
        position bigint not null,
        primary key (project_id, name)
    )
    """,
    # `from_time` and `to_time` are event time: the first window in trouble began, the last one ended there.
    """
    create table incident (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        detector text not null,
        dedup_key text not null,
        state text not null check (state in ('open', 'acknowledged', 'resolved')),
        severity text not null,
        title text not null,
        "group" jsonb not null,
        "values" jsonb not null,
        query text not null,
        from_time timestamptz not null,
        to_time timestamptz not null,
        opened_at timestamptz not null,
        last_seen_at timestamptz not null,
        acknowledged_at timestamptz,
        resolved_at timestamptz,
        resolved_by text,
        samples jsonb not null,
        timeline jsonb not null,
        check ((state = 'resolved') = (resolved_at is not null))
    )
    """,
    "create unique index incident_open on incident (project_id, dedup_key) where state <> 'resolved'",
    "create index incident_by_key on incident (project_id, dedup_key, to_time)",
    "create index incident_by_detector on incident (project_id, detector, id desc)",
    # Inserted in the transaction of the incident's change, delivered afterwards: at least once, under one delivery_id.
    """
    create table notification (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        incident_id bigint not null references incident on delete cascade,
        notifier text not null,
        channel text not null,
        event text not null check (event in ('opened', 'resolved')),
        delivery_id uuid not null unique default gen_random_uuid(),
        status text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
        payload jsonb not null,
        attempts jsonb not null default '[]',
        created_at timestamptz not null,
        next_attempt_at timestamptz not null,
        sent_at timestamptz,
        error text,
        unique (incident_id, notifier, event)
    )
    """,
    "create index notification_due on notification (project_id, notifier, next_attempt_at) where status = 'pending'",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
