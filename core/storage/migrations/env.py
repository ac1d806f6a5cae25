"""Alembic's entry: run the migrations on the connection that `core.storage.database` hands over."""

from alembic import context
from cordwood.core.storage.migrations import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    version_table_schema=SCHEMA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
