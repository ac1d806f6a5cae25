"""Deletion by query, which segments such work has been in, what each node has forgotten, and the audit log."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    create table audit (
        id bigint generated always as identity primary key,
        at timestamptz not null default clock_timestamp(),
        who text not null,
        what text not null,
        project_id integer references project,
        details jsonb not null default '{}'
    )
    """,
    # `query` is the text while the job runs; at its end the values in it are masked, for they are what had to go.
    # Times are nanoseconds since the epoch; `now_ns` is what "now" means in the query.
    """
    create table deletion (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        query text not null,
        attributes text[] not null,
        from_ns bigint,
        to_ns bigint,
        now_ns bigint not null,
        timezone text not null,
        upto_position bigint not null,
        requested_by text not null,
        state text not null default 'running'
            check (state in ('running', 'done', 'incomplete', 'failed', 'cancelled')),
        segments_total integer not null default 0,
        segments_done integer not null default 0,
        events_deleted bigint not null default 0,
        unreadable bigint[] not null default '{}',
        ticket bigint,
        error text,
        created_at timestamptz not null default now(),
        finished_at timestamptz,
        check ((state = 'running') = (finished_at is null))
    )
    """,
    "create index deletion_running on deletion (id) where state = 'running'",
    # Live segments in which a job has found nothing or left nothing: they need not be opened again for it.
    """
    create table segment_checked (
        job text not null,
        segment_id bigint not null,
        primary key (job, segment_id)
    )
    """,
    # Each process that has the store open, and the last ticket whose forgetting it has done.
    "create sequence forget_ticket",
    """
    create table store_node (
        id uuid primary key,
        name text not null,
        ticket bigint not null,
        seen_at timestamptz not null default now()
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
