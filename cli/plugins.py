"""`cordwood plugins`: what is installed, and what could not be loaded."""

from __future__ import annotations

import logging

import typer

group = typer.Typer(help="Installed plugins.", no_args_is_help=True)


@group.command("list", epilog="Example: cordwood plugins list")
def list_plugins() -> None:
    """List every plugin with its package and version, and the packages that failed to load, with the reason."""
    from ..plugins import load_plugins
    from .output import table

    logging.getLogger("cordwood.plugins").setLevel(logging.CRITICAL)  # its failures are in the list below
    registry = load_plugins()
    rows = [
        (kind, type_, loaded.package, loaded.version, loaded.summary)
        for kind, plugins in registry.kinds.items()
        for type_, loaded in sorted(plugins.items())
    ]
    table(("kind", "type", "package", "version", "summary"), rows)
    if registry.failures:
        print("\nNot loaded:")
        failures = [(failure.entry_point, failure.package, failure.reason) for failure in registry.failures]
        table(("entry point", "package", "reason"), failures)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(group, name="plugins")
