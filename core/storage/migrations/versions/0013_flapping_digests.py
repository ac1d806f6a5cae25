"""Incidents that flap, and notifications that go out together."""

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
    # The delivery id that it goes out under: its own, or that of a digest with others. Null: not decided, or no limit.
    "alter table notification add sent_as uuid",
    # The window of a notifier's limit that began last. `is_full`: something waits for its end.
    """
    create table notifier_window (
        project_id integer not null references project,
        notifier text not null,
        began_at timestamptz not null,
        attempts integer not null,
        is_full boolean not null default false,
        primary key (project_id, notifier)
    )
    """,
)


def upgrade() -> None:
    """Add the columns, the event and the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
