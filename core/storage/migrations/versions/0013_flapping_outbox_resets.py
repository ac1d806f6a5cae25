"""Incidents that flap, one outbox with digests, what outputs refuse, resets, shares, shaped patterns, bells."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # `turned_at`: when one that is flapping last got into trouble, or well (`is_well`); null: it is not flapping.
    """
    alter table incident
        add flaps integer not null default 0,
        add turned_at timestamptz,
        add is_well boolean not null default false
    """,
    "alter table notification drop constraint notification_event_check",
    """
    alter table notification add constraint notification_event_check
        check (event in ('opened', 'flapping', 'escalated', 'resolved', 'report'))
    """,
    # A notification is of an incident or of a report's issue.
    "alter table notification alter incident_id drop not null",
    "alter table notification add issue_id bigint references report_issue on delete cascade",
    "alter table notification add constraint notification_of_one check ((incident_id is null) <> (issue_id is null))",
    "create unique index notification_of_issue on notification (issue_id, notifier) where issue_id is not null",
    """
    insert into notification (project_id, issue_id, notifier, channel, event, delivery_id, status, payload, attempts,
                              created_at, next_attempt_at, sent_at, error)
    select i.project_id, i.id, d.notifier, d.channel, 'report', d.delivery_id, d.status,
           jsonb_build_object('detector', i.report, 'title', i.title, 'severity', 'INFO', 'group', '{}'::jsonb,
                              'values', '{}'::jsonb, 'resolved_at', null,
                              'text', coalesce(words.said, ''),
                              'opened_at',
                              to_char(i.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"')),
           d.attempts, i.created_at, d.next_attempt_at, d.sent_at, d.error
    from report_delivery d join report_issue i on i.id = d.issue_id,
         lateral (select string_agg('- ' || sentence, chr(10)) as said
                  from jsonb_array_elements_text(i.summary) sentence) words
    order by d.id
    """,
    # `report_delivery` stays for this release: nodes of the one before still write there, side by side with these.
    # The delivery id that it goes out under: its own, or that of a digest with others. Null: not decided, or no limit.
    "alter table notification add sent_as uuid",
    # The window of a notifier's limit that began last. `is_full`: something waits for its end.
    """
    create table notifier_window (
        project_id integer not null references project,
        notifier text not null,
        began_at timestamptz not null,
        attempts integer not null,
        is_full boolean not null default false,
        primary key (project_id, notifier)
    )
    """,
    # Null: a step of a pipeline could not read it.
    "alter table ingest_error add column output text",
    "alter table output_state add column refused bigint not null default 0",
    # Of the link's secret only its SHA-256 is kept; a link counts once, until it expires.
    """
    create table password_reset (
        hash bytea primary key,
        user_id bigint not null references user_account on delete cascade,
        created_at timestamptz not null default now(),
        created_by text not null,
        expires_at timestamptz not null
    )
    """,
    "create index password_reset_user_id on password_reset (user_id)",
    "create index password_reset_expires_at on password_reset (expires_at)",
    # A query with its time range, or a dashboard: shown as its account sees it. SHA-256 of the link's secret.
    """
    create table share (
        id bigint generated always as identity primary key,
        hash bytea not null unique,
        project_id integer not null references project,
        user_id bigint not null references user_account on delete cascade,
        title text not null,
        query text,
        dashboard text,
        from_ns bigint,
        to_ns bigint,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        revoked_at timestamptz,
        opened_at timestamptz,
        check ((query is null) <> (dashboard is null))
    )
    """,
    "create index share_project_id on share (project_id, id)",
    "create index share_user_id on share (user_id)",
    # The first of `patterns` is what it is known by; `split` the number of the placeholder it is split by, from 1.
    """
    create table shaped_pattern (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        patterns text[] not null check (cardinality(patterns) > 0),
        name text,
        split integer,
        version integer not null default 1,
        created_at timestamptz not null default now(),
        created_by text not null,
        changed_at timestamptz not null default now(),
        changed_by text not null,
        check (split is null or (split > 0 and cardinality(patterns) = 1))
    )
    """,
    "create index shaped_pattern_project_id on shaped_pattern (project_id, id)",
    "create unique index shaped_pattern_name on shaped_pattern (project_id, name)",
    # Up to which incident each account has looked; without an account it is of whoever has none: of this machine.
    """
    create table bell (
        project_id integer not null references project,
        user_id bigint references user_account on delete cascade,
        read_upto bigint not null,
        unique nulls not distinct (project_id, user_id)
    )
    """,
    "create index bell_user_id on bell (user_id)",
)


def upgrade() -> None:
    """Add the columns, the events and the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
