"""Cordwood's own log: lines on standard error; other packages only from warnings on."""

from __future__ import annotations

import logging
import sys


def log_to_stderr(level: str) -> None:
    """Set up logging for this process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cordwood").setLevel(level.upper())
    # A database that is away is told of by who needs it, in a line; the pool would add its traceback for every try.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
