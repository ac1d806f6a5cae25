"""`cordwood schema`: JSON Schemas for editors."""

from __future__ import annotations

import json

import typer

group = typer.Typer(help="Print JSON Schemas for editors.", no_args_is_help=True)


@group.command("pipeline", epilog="Example: cordwood schema pipeline > pipeline.schema.json")
def pipeline() -> None:
    """Print the JSON Schema (2020-12) of pipeline files, with the settings of every installed plugin in it."""
    from ..config import pipeline_schema
    from ..plugins import load_plugins

    print(json.dumps(pipeline_schema(load_plugins()), indent=2, ensure_ascii=False))


@group.command("highlighting", epilog="Example: cordwood schema highlighting > cordwood.tmLanguage.json")
def highlighting() -> None:
    """Print the TextMate grammar of the query language, for the colours of editors."""
    from importlib.resources import files

    print(
        files(f"{__package__.rpartition('.')[0]}.core.query")
        .joinpath("cordwood.tmLanguage.json")
        .read_text(encoding="utf-8"),
        end="",
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(group, name="schema")
