"""Segments' bytes in other places than PostgreSQL: which object has them, and a record of those nobody needs."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "alter table segment add column object text",
    "alter table segment add constraint segment_object_elsewhere check ((object is null) = (place = 'postgresql'))",
    """
    create table stray_object (
        place text not null,
        object text not null,
        -- Of its upload; -infinity: that is long over.
        began_at timestamptz not null default now(),
        -- To be deleted, and never to be entered into the catalog.
        dead boolean not null default false,
        primary key (place, object)
    )
    """,
)


def upgrade() -> None:
    """Add the column and the table; nothing is rewritten."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
