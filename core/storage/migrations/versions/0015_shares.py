"""Links by which others see a query or a dashboard."""

from alembic import op

revision = "0015"
down_revision = "0013"

STATEMENTS = (
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
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
