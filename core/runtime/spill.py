"""A folder for what queries cannot keep in memory: one for each process, and nothing of it outlives the process."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def spill_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, deleted at the end; those of processes that were killed are deleted now. Blocking.

    Each process holds the lock of its folder's file while it lives: the system lets go of it whatever ends it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        _delete_if_dead(left)
    folder = parent / uuid4().hex
    with (parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.name).unlink(missing_ok=True)


def _delete_if_dead(left: Path) -> None:
    """Delete what a process left in the folder, unless it lives."""
    if left.suffix == ".lock":
        with suppress(FileNotFoundError), left.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            shutil.rmtree(left.with_suffix(""), ignore_errors=True)
            left.unlink(missing_ok=True)
    elif left.is_file():  # of an earlier release
        left.unlink(missing_ok=True)
