"""A file that is on the disk, whole, once it has its name."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it; it and its name are on the disk on return. Blocking.

    Folders that are missing are made. Two must not write the same path at once.

    :raises OSError: it cannot be written
    """
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    for folder in (path.parent, *(made.parent for made in missing)):
        sync_folder(folder)


def part_of(path: Path) -> Path:
    """Where a file is written; nobody else writes the same one."""
    return path.with_name(f".{path.name}.part")


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk. Blocking."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
