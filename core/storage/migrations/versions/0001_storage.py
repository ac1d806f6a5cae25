"""Projects, the segment log and its catalog, checkpoints, idempotency keys."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    "create table installation (id uuid not null default gen_random_uuid())",
    "insert into installation default values",
    """
    create table project (
        id integer generated always as identity primary key,
        name text not null unique check (name <> ''),
        created_at timestamptz not null default now()
    )
    """,
    # One row a project; a commit locks it last and numbers itself, so the numbers are gapless and in commit order.
    """
    create table segment_log (
        project_id integer primary key references project,
        head bigint not null default 0
    )
    """,
    "create sequence segment_id",
    """
    create table segment_file (
        segment_id bigint primary key,
        data bytea not null
    )
    """,
    # Compressed already; EXTERNAL keeps TOAST from trying again, and makes reads of a slice cheap.
    "alter table segment_file alter column data set storage external",
    """
    create table segment (
        id bigint primary key,
        project_id integer not null references project,
        day date not null,
        min_time bigint not null,
        max_time bigint not null,
        rows integer not null check (rows > 0),
        bytes integer not null,
        level smallint not null,
        min_position bigint not null,
        max_position bigint not null,
        columns jsonb not null,
        services jsonb,
        hosts jsonb,
        severities integer not null,
        created_at timestamptz not null default now(),
        replaced_at timestamptz
    )
    """,
    "create index segment_by_time on segment (project_id, max_time desc) where replaced_at is null",
    "create index segment_by_position on segment (project_id, max_position) where replaced_at is null",
    "create index segment_replaced on segment (replaced_at) where replaced_at is not null",
    """
    create table checkpoint (
        source text not null,
        key text not null,
        value jsonb not null,
        updated_at timestamptz not null default now(),
        primary key (source, key)
    )
    """,
    """
    create table idempotency_key (
        project_id integer not null references project,
        key text not null,
        accepted integer not null,
        created_at timestamptz not null default now(),
        primary key (project_id, key)
    )
    """,
    "create index idempotency_key_by_age on idempotency_key (created_at)",
    "insert into project (name) values ('default')",
    "insert into segment_log (project_id) select id from project",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
