"""Events that the other side of an output refuses for good: dead letters of a kind of their own, and their number."""

from alembic import op

revision = "0016"
down_revision = "0013"

STATEMENTS = (
    # Null: a step of a pipeline could not read it.
    "alter table ingest_error add column output text",
    "alter table output_state add column refused bigint not null default 0",
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
