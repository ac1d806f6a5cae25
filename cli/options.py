"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Folder with the data; CORDWOOD_DATA_DIR, else ./data.", show_default=False),
]
Service: TypeAlias = Annotated[str | None, typer.Option(help="Service of events that name none.", show_default=False)]
