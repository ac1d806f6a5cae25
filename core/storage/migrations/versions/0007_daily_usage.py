"""Bytes that each project took in on the day of its last commit, in the row that every commit writes anyway."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "alter table segment_log add column day date not null default '-infinity'",
    "alter table segment_log add column day_bytes bigint not null default 0",
)


def upgrade() -> None:
    """Add the columns; the day of the upgrade counts from there."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
