"""When somebody last showed who they are in a session."""

from alembic import op

revision = "0017"
down_revision = "0014"

STATEMENTS = (
    # Null: they have not since the session began at a provider, which may have known them from before.
    "alter table session add confirmed_at timestamptz",
    "update session set confirmed_at = created_at",
)


def upgrade() -> None:
    """Add the column; the sessions that there are began with a sign-in."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
