"""`cordwood sigma`: what becomes of rules in the Sigma format."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

group = typer.Typer(help="Rules in the Sigma format.", no_args_is_help=True)
_Path = Annotated[str, typer.Argument(metavar="PATH", help="A file of rules, or a folder of them.", show_default=False)]
_Field = Annotated[
    list[str] | None, typer.Option("--field", metavar="A=B", help="What a rules' field is called in the events.")
]


@group.command(epilog="Example: cordwood sigma check rules/")
def check(path: _Path) -> None:
    """List the rules that cannot be converted, with the reason, and how many have each; exit 1 if there is one."""
    from .exits import InputError
    from .output import table

    rules, unsupported = _read(path, None)
    if unsupported:
        table(("file", "rule", "reason"), [(one.path, one.title, one.reason) for one in unsupported])
        reasons = Counter(one.reason for one in unsupported)
        table(("rules", "reason"), [(str(count), reason) for reason, count in reasons.most_common()])
        raise InputError(f"{len(unsupported)} of {len(rules) + len(unsupported)} rules are not supported")
    print(f"all supported: {len(rules)}")


@group.command(epilog="Example: cordwood sigma convert rules/whoami.yml --field Image=process.executable")
def convert(path: _Path, field: _Field = None) -> None:
    """Show each rule's search."""
    from .output import table

    rules, _ = _read(path, field)
    table(("level", "rule", "search"), [(rule.level, rule.title, rule.search) for rule in rules])


def _read(path: str, fields: list[str] | None) -> tuple[list[Any], list[Any]]:
    """The rules, and those that are not supported, as the detector reads them."""
    from ..plugins import load_plugins
    from .exits import InputError

    pairs = [one.partition("=") for one in fields or ()]
    if any(not (name and to) for name, _, to in pairs):
        raise InputError("--field takes a rules' field and its name in the events, such as Image=process.executable")
    detector: Any = load_plugins().get("detector", "sigma")
    config = detector.config_model(path=path, level="informational", fields={name: to for name, _, to in pairs})
    found: tuple[list[Any], list[Any]] = detector(config).read()
    return found


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(group, name="sigma")
