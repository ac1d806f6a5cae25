"""Notifications of incidents that nobody acknowledged."""

from alembic import op

revision = "0012"
down_revision = "0010"

STATEMENTS = (
    "alter table notification drop constraint notification_event_check",
    """
    alter table notification add constraint notification_event_check
        check (event in ('opened', 'escalated', 'resolved'))
    """,
)


def upgrade() -> None:
    """Allow them."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
