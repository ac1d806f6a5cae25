"""Dashboards that people made, each a document; and the issues of reports, with what is to be sent of them."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """
    create table dashboard (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        name text not null,
        -- core/dashboards/model.py says what it holds.
        document jsonb not null,
        version integer not null default 1,
        updated_at timestamptz not null default now(),
        updated_by text not null,
        unique (project_id, name)
    )
    """,
    # Up to when the schedule of a report was followed: what fell due since is made once, however much it is.
    """
    create table report_state (
        project_id integer not null references project,
        name text not null,
        followed_until timestamptz not null,
        primary key (project_id, name)
    )
    """,
    """
    create table report_issue (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        report text not null,
        title text not null,
        -- When it fell due by its schedule; null: somebody asked for it.
        due_at timestamptz,
        from_time timestamptz not null,
        to_time timestamptz not null,
        created_at timestamptz not null default now(),
        created_by text,
        error text,
        summary jsonb not null default '[]',
        html text,
        pdf bytea,
        -- A ZIP with the rows of each panel.
        data bytea,
        unique (project_id, report, due_at)
    )
    """,
    "alter table report_issue alter column pdf set storage external",
    "alter table report_issue alter column data set storage external",
    "create index report_issue_by_report on report_issue (project_id, report, id desc)",
    # Inserted with the issue, delivered afterwards: at least once, under one delivery_id.
    """
    create table report_delivery (
        id bigint generated always as identity primary key,
        issue_id bigint not null references report_issue on delete cascade,
        notifier text not null,
        channel text not null,
        delivery_id uuid not null unique default gen_random_uuid(),
        status text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
        attempts jsonb not null default '[]',
        next_attempt_at timestamptz not null default now(),
        sent_at timestamptz,
        error text,
        unique (issue_id, notifier)
    )
    """,
    "create index report_delivery_due on report_delivery (notifier, next_attempt_at) where status = 'pending'",
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
