"""`cordwood lookup`: the tables that queries look values up in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import DataDir

group = typer.Typer(help="Tables that queries look values up in.", no_args_is_help=True)
TableName = Annotated[str, typer.Argument(metavar="NAME", help="Its name in queries.", show_default=False)]


@group.command(epilog="Example: cordwood lookup put owners owners.csv")
def put(
    name: TableName,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV with a header, or Parquet; `-` is standard input.", show_default=False
        ),
    ],
    data_dir: DataDir = None,
) -> None:
    """Upload a table, or a new version of it."""
    import sys

    from .exits import InputError

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as why:
        raise InputError(f"{file}: {why.strerror}") from None
    made = _asked("PUT", name, data_dir, data).json()
    columns = ", ".join(f"{column['name']} {column['kind']}" for column in made["columns"])
    print(f"{made['name']} version {made['version']}: {made['rows']} rows of {columns}")


@group.command("list", epilog="Example: cordwood lookup list")
def list_all(data_dir: DataDir = None) -> None:
    """List the tables."""
    from .output import table

    rows = [
        (item["name"], item["version"], item["rows"], ",".join(c["name"] for c in item["columns"]), item["created_at"])
        for item in _asked("GET", "", data_dir).json()["items"]
    ]
    table(("name", "version", "rows", "columns", "uploaded"), rows, numeric=(False, True, True, False, False))


@group.command(epilog="Example: cordwood lookup show owners > owners.csv")
def show(name: TableName, data_dir: DataDir = None) -> None:
    """Print a table's rows as CSV."""
    print(_asked("GET", f"{name}/data", data_dir).text, end="")


@group.command(epilog="Example: cordwood lookup delete owners")
def delete(name: TableName, data_dir: DataDir = None) -> None:
    """Delete a table with all its versions."""
    _asked("DELETE", name, data_dir)
    print(f"deleted {name}")


def _asked(method: str, path: str, data_dir: Path | None, data: bytes | None = None) -> Any:
    """The answer of the API."""
    from urllib.parse import quote

    import anyio

    from .client import connected

    async def ask() -> Any:
        async with connected(data_dir) as client:
            url = f"/api/v1/lookups/{quote(path)}".rstrip("/")
            return await client.call(method, url, content=data)

    return anyio.run(ask)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="lookup")
