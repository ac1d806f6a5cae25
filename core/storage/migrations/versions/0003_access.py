"""Who may use Cordwood: accounts of people, tokens of programs, sessions of browsers."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    create table user_account (
        id bigint generated always as identity primary key,
        email text not null,
        password_hash text not null,
        is_admin boolean not null default false,
        created_at timestamptz not null default now(),
        disabled_at timestamptz
    )
    """,
    "create unique index user_account_email on user_account (lower(email))",
    """
    create table api_token (
        id bigint generated always as identity primary key,
        hash bytea not null unique,
        name text not null,
        scopes text[] not null check (scopes <@ array['ingest', 'query', 'admin']),
        created_at timestamptz not null default now(),
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    """
    create table session (
        hash bytea primary key,
        user_id bigint not null references user_account on delete cascade,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null
    )
    """,
    "create index session_expires_at on session (expires_at)",
)


def upgrade() -> None:
    """Make the tables; tokens and sessions are kept as hashes only."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Take them away again."""
    for table in ("session", "api_token", "user_account"):
        op.get_bind().exec_driver_sql(f"drop table {table}")
