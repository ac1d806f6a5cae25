"""The `cordwood` command. Each command is a module of this folder with a `register` function."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    from .app import run

    run()


__all__ = ["main"]
