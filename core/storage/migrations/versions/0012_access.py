"""Accounts and tokens belong to a project; accounts have a role and may have to change their password."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    "alter table user_account add column project_id integer references project",
    "update user_account set project_id = (select id from project where name = 'default')",
    "alter table user_account alter column project_id set not null",
    """
    alter table user_account add column role text not null default 'viewer'
        check (role in ('viewer', 'editor', 'operator', 'admin'))
    """,
    "update user_account set role = 'admin' where is_admin",
    "alter table user_account drop column is_admin",
    "alter table user_account alter column role drop default",
    "alter table user_account add column must_change_password boolean not null default false",
    "alter table user_account add column signed_in_at timestamptz",
    "alter table api_token add column project_id integer references project",
    "update api_token set project_id = (select id from project where name = 'default')",
    "alter table api_token alter column project_id set not null",
    "alter table api_token add column created_by text not null default ''",
    "create index audit_project on audit (project_id, id)",
)


def upgrade() -> None:
    """Add the columns; what there is belongs to the project `default`, and administrators stay what they are."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
