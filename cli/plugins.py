"""`cordwood plugins`: what is installed and what could not be loaded, a package to begin with, and its checks."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..plugins.conformance_class import Check

group = typer.Typer(help="Installed plugins.", no_args_is_help=True)


@group.command("list", epilog="Example: cordwood plugins list")
def list_plugins() -> None:
    """List every plugin with its package and version, and the packages that failed to load, with the reason."""
    from ..core.query.extensions import load_extensions
    from ..plugins import load_plugins
    from .output import table

    for loader in ("cordwood.plugins", "cordwood.core.query.extensions"):
        logging.getLogger(loader).setLevel(logging.CRITICAL)  # the failures are in the list below
    registry, language = load_plugins(), load_extensions()
    rows = [
        (kind, type_, loaded.package, loaded.version, loaded.summary)
        for kind, plugins in registry.kinds.items()
        for type_, loaded in sorted(plugins.items())
    ]
    rows += [
        (kind, name, one.package, one.version, (doc or "").strip().partition("\n")[0])
        for one in language.loaded
        for kind, name, doc in (
            *(("stage", name, stage.__doc__) for name, stage in sorted(one.stages.items())),
            *(("function", name, signature.doc) for name, signature in sorted(one.functions.items())),
        )
    ]
    table(("kind", "type", "package", "version", "summary"), rows)
    if failed := (*registry.failures, *language.failures):
        print("\nNot loaded:")
        failures = [(failure.entry_point, failure.package, failure.reason) for failure in failed]
        table(("entry point", "package", "reason"), failures)


@group.command(epilog="Example: cordwood plugins new parser my_format")
def new(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="source, parser, detector, notifier, output or place.", show_default=False),
    ],
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="Its name in the YAML, such as my_format.", show_default=False)
    ],
    folder: Annotated[
        Path | None, typer.Option(help="Where to; ./cordwood-TYPE if not given.", show_default=False)
    ] = None,
) -> None:
    """Write a package with a plugin that works, the kit's tests of it, a CI file and a README."""
    from .exits import InputError
    from .new_plugin import write_package
    from .output import say

    where = folder or Path(f"cordwood-{type_.replace('_', '-')}")
    try:
        written = write_package(kind, type_, where)
    except OSError as why:
        raise InputError(f"{where} cannot be written: {why.strerror}") from None
    for path in written:
        print(path)
    say(f"next: cd {where} && pip install -e '.[dev]' && pytest && cordwood plugins check {type_}")


@group.command(epilog="Example: cordwood plugins check my_format")
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Types or packages; all if not given.", show_default=False),
    ] = None,
) -> None:
    """Check that plugins load, are named and described as they must be, and have settings that users can find.

    What a plugin does is checked by its own tests, with the conformance kit. Exit code 1: something is wrong.
    """
    from ..plugins import load_plugins
    from ..plugins.conformance_class import class_checks
    from .exits import INPUT, InputError

    logging.getLogger("cordwood.plugins").setLevel(logging.CRITICAL)  # its failures are in the list below
    registry, wanted, seen, wrong = load_plugins(), set(names or ()), set(), 0
    for failure in registry.failures:
        if not wanted or wanted & {failure.entry_point, failure.package}:
            seen |= {failure.entry_point, failure.package}
            wrong += 1
            print(f"fail  {failure.package} {failure.entry_point}: {failure.reason}")
    for kind, plugins in registry.kinds.items():
        for type_, loaded in sorted(plugins.items()):
            if wanted and not wanted & {type_, loaded.package}:
                continue
            seen |= {type_, loaded.package}
            found = _faults(class_checks(loaded.cls, kind))
            wrong += len(found)
            for fault in found:
                print(f"fail  {kind} {type_}: {fault}")
            if not found:
                print(f"ok    {kind} {type_}")
    if unknown := sorted(wanted - seen):
        raise InputError(f"no plugin and no package of this name is installed: {', '.join(unknown)}")
    if wrong:
        raise typer.Exit(INPUT)


def _faults(checks: Mapping[str, Check]) -> list[str]:
    """What the checks have against a class."""
    found = []
    for one in checks.values():
        try:
            one()
        except AssertionError as why:
            found.append(str(why))
    return found


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(group, name="plugins")
