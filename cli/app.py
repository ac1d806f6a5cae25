"""Puts the commands together, and turns errors into messages and exit codes.

Exit codes: 0 done, 1 a problem in the input, 2 wrong usage, 3 server not reachable.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Annotated, NoReturn

import typer

from .. import __version__
from .exits import INPUT, CommandError
from .output import say

COMMANDS = (
    "up",
    "check",
    "test",
    "try_",
    "tap",
    "graph",
    "top",
    "ingest",
    "query",
    "tail",
    "delete",
    "dlq",
    "backtest",
    "sigma",
    "lookup",
    "recording",
    "report",
    "route",
    "retention",
    "plugins",
    "schema",
    "export",
    "apply",
    "user",
    "audit",
    "token",
    "project",
    "backup",
    "restore",
    "storage",
    "doctor",
)
"""The modules of the commands, in the order of `--help`. They import what is heavy only when they run."""

_YOUNG = 100_000
"""New objects until the garbage collector looks: imports make 200,000 that stay, and with Python's own 700 it looks
at them again and again: 0.1 to 0.5 s of CPU in each short command."""


def build() -> typer.Typer:
    """The application with all commands."""
    app = typer.Typer(
        name="cordwood",
        help="Cordwood, a log platform on plain PostgreSQL: collect, search, watch, tell.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in COMMANDS:
        import_module(f".{name}", __package__).register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cordwood {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    if context.invoked_subcommand != "up":  # which collects as a server should
        gc.set_threshold(_YOUNG)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit."""
    try:
        build()(arguments)
    except CommandError as why:
        say(str(why))
        sys.exit(why.code)
    except BrokenPipeError:
        # Whoever read our output has had enough: `cordwood query … | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as why:
        cause = why
        while isinstance(cause, ExceptionGroup):  # it came out of task groups
            cause = cause.exceptions[0]
        if isinstance(cause, CommandError):
            say(str(cause))
            sys.exit(cause.code)
        say(_expected(cause))
        sys.exit(INPUT)
    sys.exit(0)


def _expected(why: Exception) -> str:
    """The message of an error that Cordwood raises on purpose; anything else is raised again, with its traceback."""
    from ..plugins.errors import CordwoodError, QueryError

    if isinstance(why, QueryError):
        return why.pretty()
    if isinstance(why, CordwoodError):
        return str(why)
    raise why
