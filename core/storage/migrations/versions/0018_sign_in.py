"""Who somebody is at a provider of OpenID Connect."""

from alembic import op

revision = "0018"
down_revision = "0011"

STATEMENTS = (
    """
    create table user_identity (
        issuer text not null,
        subject text not null,
        user_id bigint not null references user_account on delete cascade,
        created_at timestamptz not null default now(),
        primary key (issuer, subject)
    )
    """,
    "create index user_identity_user_id on user_identity (user_id)",
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
