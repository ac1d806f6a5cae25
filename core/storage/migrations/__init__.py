"""The schema's history, one file a step; run by `core.storage.schema`."""

from pathlib import Path

SCHEMA = "cordwood"
"""The schema in PostgreSQL that holds everything."""

FOLDER = Path(__file__).parent
"""Where Alembic finds them."""


def newest_revision() -> str:
    """The revision this release migrates to: its last migration's number."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
