"""Incidents that flap."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # `turned_at`: when one that is flapping last got into trouble, or well (`is_well`); null: it is not flapping.
    """
    alter table incident
        add flaps integer not null default 0,
        add turned_at timestamptz,
        add is_well boolean not null default false
    """,
    "alter table notification drop constraint notification_event_check",
    """
    alter table notification add constraint notification_event_check
        check (event in ('opened', 'flapping', 'escalated', 'resolved'))
    """,
)


def upgrade() -> None:
    """Add the columns, and the event."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
