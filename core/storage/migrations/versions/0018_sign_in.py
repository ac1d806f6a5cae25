"""Who somebody is at a provider of OpenID Connect; passkeys; second factors."""

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
    # The public half of a key that a device holds (WebAuthn).
    """
    create table passkey (
        id bigint generated always as identity primary key,
        user_id bigint not null references user_account on delete cascade,
        credential_id bytea not null unique,
        public_key bytea not null,
        sign_count bigint not null,
        name text not null,
        created_at timestamptz not null default now(),
        used_at timestamptz
    )
    """,
    "create index passkey_user_id on passkey (user_id)",
    # What waits for the answer of a device; `user_id`: of somebody who adds a passkey.
    """
    create table passkey_challenge (
        challenge bytea primary key,
        user_id bigint references user_account on delete cascade,
        expires_at timestamptz not null
    )
    """,
    # A secret shared with an authenticator app, encrypted where there is a key; `last_step`: no code counts twice.
    """
    create table totp (
        user_id bigint primary key references user_account on delete cascade,
        secret bytea not null,
        confirmed boolean not null default false,
        last_step bigint not null default 0,
        -- SHA-256 of the recovery codes that are left.
        recovery bytea[] not null default '{}'
    )
    """,
    "create index passkey_challenge_expires_at on passkey_challenge (expires_at)",
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
