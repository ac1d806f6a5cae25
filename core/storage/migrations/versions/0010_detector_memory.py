"""What detectors remember from run to run: which values and patterns were seen, and when."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    # The settings that the memory is about: where they change, it begins anew.
    "alter table detector_state add column memory_of text not null default ''",
    # A digest stands for the value, so that a deleted event's value is not kept here. Times are nanoseconds.
    """
    create table detector_memory (
        project_id integer not null references project,
        detector text not null,
        key bytea not null,
        since bigint not null,
        last bigint not null,
        -- Only where the detector must compare what it remembers: a pattern.
        text text,
        primary key (project_id, detector, key)
    )
    """,
    "create index detector_memory_by_age on detector_memory (project_id, detector, last)",
)


def upgrade() -> None:
    """Add the column and the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
