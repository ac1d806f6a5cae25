"""What a detector keeps from run to run: the state of its model."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; nothing is rewritten."""
    # Numbers that do not compress, and often written: compression would cost time and save nothing.
    op.get_bind().exec_driver_sql("alter table detector_state add column learned bytea")
    op.get_bind().exec_driver_sql("alter table detector_state alter column learned set storage external")
