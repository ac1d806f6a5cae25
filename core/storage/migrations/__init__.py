"""The schema's history, one file a step; run by `core.storage.schema`."""

SCHEMA = "cordwood"
"""The schema in PostgreSQL that holds everything."""
