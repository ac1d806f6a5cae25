"""`DATA_DIR/server.json`: address and YAML file of the server that runs on a data folder; there while it is ready."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "server.json"
_SAME_START = 1.0  # seconds that two readings of a process's start may differ


def _started(pid: int) -> float | None:
    """When the process began, seconds since the epoch; None: there is no such process."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
        return None


@contextlib.contextmanager
def announced(data_dir: Path, url: str, config: Path | None = None) -> Iterator[None]:
    """Have the file there while the server runs."""
    path = data_dir / NAME
    fresh = path.with_suffix(".new")
    data_dir.mkdir(parents=True, exist_ok=True)  # with a database elsewhere, nothing else may have made it
    about = {"url": url, "pid": os.getpid(), "started": _started(os.getpid())}
    fresh.write_text(json.dumps(about | {"config": str(config.absolute()) if config else None}) + "\n")
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_server(data_dir: Path) -> str | None:
    """The URL of the server that runs on the folder; None: none does, though a killed one may have left its file."""
    found = _running(data_dir)
    return found and found[0]


def running_config(data_dir: Path) -> Path | None:
    """The YAML file of the server that runs on the folder; None: none does, or it has none."""
    found = _running(data_dir)
    return Path(found[1]) if found and found[1] else None


def running_listens(data_dir: Path | None, config: Path, address: str) -> bool:
    """Whether the server that runs on the folder runs this YAML file and has the address: `tcp 0.0.0.0:514`."""
    import psutil

    folder = data_dir or Path(os.environ.get("CORDWOOD_DATA_DIR") or "data")
    running = running_config(folder)
    kind, _, where = address.partition(" ")
    port = where.rpartition(":")[2]
    if running is None or running.resolve() != config.resolve() or kind not in ("tcp", "udp"):
        return False
    try:
        pid = int(json.loads((folder / NAME).read_text())["pid"])
        opened = psutil.Process(pid).net_connections(kind)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return False
    return any(one.laddr and not one.raddr and str(one.laddr.port) == port for one in opened)


def _running(data_dir: Path) -> tuple[str, str] | None:
    """(URL, path of the YAML file or nothing)."""
    try:
        found = json.loads((data_dir / NAME).read_text())
        url, pid, began, config = str(found["url"]), int(found["pid"]), found.get("started"), found.get("config")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    started = _started(pid)
    if started is None or (began is not None and abs(started - began) > _SAME_START):
        return None  # its process is gone, or its number has been given to another
    return url, str(config or "")
