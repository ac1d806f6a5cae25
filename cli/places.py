"""The places of segments, for commands that work on the store itself: as the YAML file has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from .serverfile import running_config

if TYPE_CHECKING:
    from ..config import Config, Settings
    from ..core.storage.places import Places

ConfigFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="PIPELINE.yaml",
        help="The file whose `store:` names the places; CORDWOOD_CONFIG, else that of the running server.",
        show_default=False,
    ),
]


def store_config(settings: Settings, config: Path | None = None) -> Config:
    """The `store:` section of the file that is given, that the environment names, or that the running server has read.

    :raises ConfigErrors: the section is wrong
    """
    from ..config import Config, load_store
    from ..plugins import load_plugins

    path = config or settings.config or running_config(settings.data_dir)
    return Config() if path is None else load_store(path, load_plugins())


def places_of(settings: Settings, config: Path | None = None) -> Places:
    """The places of `store_config`."""
    from ..core.storage.places import Places

    return Places.of(store_config(settings, config))
