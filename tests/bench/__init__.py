"""Benchmarks of ingest and query: `python -m tests.bench` from the repository's root, or `make bench`."""
