"""`cordwood check`: every error of a YAML file at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataDir

if TYPE_CHECKING:
    from ..config import Config
    from ..plugins import ConfigError


def check(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file to check.", show_default=False)],
    deep: Annotated[
        bool, typer.Option("--deep", help="Also try what it needs: ports, files, certificates, hosts, secrets.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Check a pipeline file: every error with file:line:column and a hint; exit code 1 if there are any.

    With --deep, run as the user and on the machine that will run it, it binds each port and frees it, reads files and
    certificates, and connects to hosts, 15 seconds for each at most; nothing is sent, and no event is read. Exit code 1
    where something is not there.

    Projects that it names are asked of the server at CORDWOOD_URL, else of the one that runs on the data folder.
    """
    import anyio

    from ..config import ConfigErrors
    from ..core.runtime import load_checked
    from ..plugins import load_plugins
    from .exits import INPUT
    from .output import say

    registry = load_plugins()
    try:
        config = load_checked(pipeline, registry)
        if errors := anyio.run(_without_project, config, data_dir):
            raise ConfigErrors(errors)
    except ConfigErrors as why:
        say(str(why))
        count = len(why.errors)
        say(f"{count} error{'s' if count > 1 else ''} in {pipeline}")
        raise typer.Exit(INPUT) from None
    parts = [
        f"{len(getattr(config, section))} {section}"
        for section in ("sources", "pipelines", "detectors", "notifiers", "outputs")
    ]
    if deep:
        _tried_or_exit(config, pipeline, data_dir)
    print(f"{pipeline} is right: {', '.join(parts)}")


def _tried_or_exit(config: Config, pipeline: Path, data_dir: Path | None) -> None:
    """Say what came of everything that the file needs.

    :raises typer.Exit: something is not there
    """
    import anyio

    from ..core.runtime.deep import tried
    from .exits import INPUT
    from .output import clean, say
    from .serverfile import running_listens

    found, silent = anyio.run(tried, config)
    for one in found:
        if one.problem and one.need.address and running_listens(data_dir, pipeline, one.need.address):
            one.problem, one.warning = "", "the server that runs this file has it"
        if not one.problem:
            word = f"note: {one.warning}" if one.warning else "ok"
            print(clean(f"{one.path}.{one.need.setting}: {one.need.what}: {word}"))
    for path in silent:
        print(clean(f"{path}: note: not tried, for its plugin does not say what it needs"))
    wrong = [one.error() for one in found if one.problem]
    for error in wrong:
        say(str(error))
    if wrong:
        say(f"{len(wrong)} of {len(found)} things that {pipeline} needs are not there")
        raise typer.Exit(INPUT)


async def _without_project(config: Config, data_dir: Path | None) -> list[ConfigError]:
    """An error for each source and output of a project that is not there; without a server, that is said."""
    from ..config.errors import nearest
    from ..plugins import ProjectConfig
    from .client import connected
    from .exits import CommandError
    from .output import say

    entries = [
        (f"{section}.{entry.name}", entry, entry.config.project)
        for section, found in (("sources", config.sources), ("outputs", config.outputs))
        for entry in found.values()
        if isinstance(entry.config, ProjectConfig) and "project" in entry.config.model_fields_set
    ]
    if not entries:
        return []
    try:
        async with connected(data_dir, served=True) as client:
            known = [one["name"] for one in (await client.call("GET", "/api/v1/projects")).json()["items"]]
    except CommandError as why:
        names = ", ".join(sorted({project for _, _, project in entries}))
        say(f"note: whether there are these projects is not known: {names} ({why})")
        return []
    return [
        entry.place.error(
            f"{where}.project: there is no project {project}",
            f"add it with `cordwood project add {project}`; {nearest(project, known)}",
        )
        for where, entry, project in entries
        if project not in known
    ]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood check pipeline.yaml")(check)
