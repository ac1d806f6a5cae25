"""Cordwood, a log platform on plain PostgreSQL. The rooms and their order: docs/architecture.md."""

__version__ = "0.1.0"
