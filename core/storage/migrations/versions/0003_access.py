"""Who may use Cordwood: accounts of people, tokens of programs, sessions of browsers."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE user_account (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email text NOT NULL,
        password_hash text NOT NULL,
        is_admin boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        disabled_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX user_account_email ON user_account (lower(email))",
    """
    CREATE TABLE api_token (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        hash bytea NOT NULL UNIQUE,
        name text NOT NULL,
        scopes text[] NOT NULL CHECK (scopes <@ ARRAY['ingest', 'query', 'admin']),
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    """
    CREATE TABLE session (
        hash bytea PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX session_expires_at ON session (expires_at)",
)


def upgrade() -> None:
    """Make the tables; tokens and sessions are kept as hashes only."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Take them away again."""
    for table in ("session", "api_token", "user_account"):
        op.get_bind().exec_driver_sql(f"DROP TABLE {table}")
