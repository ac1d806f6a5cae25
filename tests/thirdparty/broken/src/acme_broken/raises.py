"""Fails to import."""

raise RuntimeError("broken on import")
