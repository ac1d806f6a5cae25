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
From: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="T", help="From this time on: ISO 8601, a date, or -1h.", show_default=False),
]
To: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="T", help="Before this time, written likewise.", show_default=False)
]
Timezone: TypeAlias = Annotated[str, typer.Option(help="Zone of days and hours, and of times without an offset.")]
