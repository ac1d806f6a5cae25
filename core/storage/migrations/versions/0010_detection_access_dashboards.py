"""Detectors that remember and learn, dashboards and reports, accounts with roles in projects, saved queries."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    # What detectors remember from run to run: which values and patterns were seen, and when.
    # The settings that the memory is about: where they change, it begins anew.
    "alter table detector_state add column memory_of text not null default ''",
    # A digest stands for the value, so that a deleted event's value is not kept here. Times are nanoseconds.
    """
    create table detector_memory (
        project_id integer not null references project,
        detector text not null,
        key bytea not null,
        since bigint not null,
        last bigint not null,
        -- Only where the detector must compare what it remembers: a pattern.
        text text,
        primary key (project_id, detector, key)
    )
    """,
    "create index detector_memory_by_age on detector_memory (project_id, detector, last)",
    # And the state of a model: numbers that do not compress, often written.
    "alter table detector_state add column learned bytea",
    "alter table detector_state alter column learned set storage external",
    # Dashboards that people made; the issues of reports, with what is to be sent of them.
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
    # Accounts and tokens belong to a project: those there are to `default`, and administrators stay what they are.
    "alter table user_account add column project_id integer references project",
    "update user_account set project_id = (select id from project where name = 'default')",
    "alter table user_account alter column project_id set not null",
    """
    alter table user_account add column role text not null default 'viewer'
        check (role in ('viewer', 'editor', 'operator', 'admin'))
    """,
    "update user_account set role = 'admin' where is_admin",
    "alter table user_account drop column is_admin",
    "alter table user_account alter column role drop default",
    "alter table user_account add column must_change_password boolean not null default false",
    "alter table user_account add column signed_in_at timestamptz",
    "alter table api_token add column project_id integer references project",
    "update api_token set project_id = (select id from project where name = 'default')",
    "alter table api_token alter column project_id set not null",
    "alter table api_token add column created_by text not null default ''",
    "create index audit_project on audit (project_id, id)",
    # Saved queries: texts under a name, with parameters, that people open and other queries use.
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
    """Add the tables and columns."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
