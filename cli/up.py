"""`cordwood up`: a node and its web server, until a signal stops them."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from .allocator import keep_large_blocks
from .exits import InputError
from .options import DataDir

ROLES = "all, ingest (take in), query (answer) or worker (detectors and upkeep)"


def up(
    pipeline: Annotated[
        Path | None,
        typer.Argument(metavar="PIPELINE.yaml", help="The pipeline file; without one, only the HTTP sources run."),
    ] = None,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1)", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one (8080)", show_default=False)] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Run sample applications that log to this server.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Read the pipeline file again whenever it is saved.")] = False,
    role: Annotated[
        str | None, typer.Option(help=f"What this node does: {ROLES}; all if not given", show_default=False)
    ] = None,
) -> None:
    """Start Cordwood. Every option is also an environment variable: CORDWOOD_PORT, CORDWOOD_DATA_DIR and so on.

    SIGHUP reads the pipeline file again; SIGTERM and Ctrl-C stop in order, a second Ctrl-C at once.
    """
    keep_large_blocks()
    # Batches are many and small: half the cores in polars' pool keep the rest for other batches, with fewer hand-overs.
    os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))

    from ..config import Settings

    given: dict[str, Any] = {"data_dir": data_dir, "host": host, "port": port, "role": role, "config": pipeline}
    settings = Settings.from_environment(**given)
    if watch and settings.config is None:
        raise InputError("--watch: there is no pipeline file to watch; name one: cordwood up pipeline.yaml --watch")

    gc.disable()  # until all is started: see `keep_what_is_loaded`

    import anyio

    from ..core.runtime import load_checked
    from ..core.runtime.memory import leave_pandas_out
    from ..plugins import load_plugins
    from .logs import log_to_stderr
    from .serve import Serving

    log_to_stderr(settings.log_level)
    leave_pandas_out()
    registry = load_plugins()
    config = load_checked(settings.config, registry)
    serving = Serving(settings, config, registry, demo=demo, watch=watch)
    anyio.run(serving.run, backend_options={"use_uvloop": True})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood up pipeline.yaml --data-dir /var/lib/cordwood --port 8080")(up)
