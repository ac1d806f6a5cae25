"""`python -m cordwood.infra.samples`: the sample applications as a process of their own, beside a server anywhere."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

import anyio

from . import run_demo


async def _until_stopped(url: str, token: str | None) -> None:
    async with anyio.create_task_group() as tasks:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            tasks.start_soon(lambda: run_demo(url, token=token))
            async for _ in signals:
                tasks.cancel_scope.cancel()
                return


def main() -> None:
    """Send to the server until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m cordwood.infra.samples", description=__doc__)
    parser.add_argument("--url", default=os.environ.get("CORDWOOD_URL") or "http://127.0.0.1:8080")
    parser.add_argument("--token-file", type=Path, help="a file with a token that may ingest and query")
    given = parser.parse_args()
    try:
        token = given.token_file.read_text().strip() if given.token_file else os.environ.get("CORDWOOD_TOKEN")
    except OSError as why:
        sys.exit(f"--token-file {given.token_file} cannot be read: {why.strerror}")
    anyio.run(_until_stopped, given.url, token or None)


if __name__ == "__main__":
    main()
