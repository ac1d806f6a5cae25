"""Links by which somebody chooses a new password."""

from alembic import op

revision = "0015"
down_revision = "0016"

STATEMENTS = (
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
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
