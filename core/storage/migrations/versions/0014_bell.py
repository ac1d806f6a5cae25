"""Up to which incident each account has looked."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    # Without an account it is of whoever has none: of this machine.
    """
    create table bell (
        project_id integer not null references project,
        user_id bigint references user_account on delete cascade,
        read_upto bigint not null,
        unique nulls not distinct (project_id, user_id)
    )
    """,
    "create index bell_user_id on bell (user_id)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
