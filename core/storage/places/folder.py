"""A folder: on a disk of its own, or on a file system that all of Cordwood's machines share.

    store:
      place: {type: folder, path: /srv/cordwood}

An object is a file. It is written beside its place, brought to the disk, and renamed, so a crash leaves no half file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from ....plugins import (
    Need,
    Place,
    PluginConfig,
    RetryableError,
    hookimpl,
    in_worker,
    part_of,
    sync_folder,
    writable,
    write_durably,
)

T = TypeVar("T")


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} is not absolute: commands are run in other folders than the server")
    return path


class FolderConfig(PluginConfig):
    """Settings of the place folder."""

    path: Annotated[Path, AfterValidator(_absolute)]
    """The folder, from the root; made when the first segment is written. Nothing else may write below it."""


class Folder(Place[FolderConfig]):
    """Files in a folder."""

    @property
    def location(self) -> str:
        """The folder's path."""
        return f"the folder {self.config.path}"

    def needs(self) -> Sequence[Need]:
        """Its folder."""
        return [writable("path", self.config.path)]

    async def put(self, key: str, data: bytes) -> None:
        """Write a file; it and its name are on the disk on return."""
        await self._in_worker(write_durably, self.config.path / key, data)

    async def get(self, key: str) -> bytes | None:
        """The file's bytes."""
        return await self._in_worker(_read, self.config.path / key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete files, and what a crash has left of writing them."""
        await self._in_worker(_delete, [self.config.path / key for key in keys])

    async def _in_worker(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            return await in_worker(function, *arguments)
        except OSError as why:
            raise RetryableError(f"{self.location} cannot be used: {why.strerror or why} ({why.filename})") from why


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _delete(paths: Sequence[Path]) -> None:
    folders = set()
    for path in paths:
        for file in (path, part_of(path)):
            file.unlink(missing_ok=True)
        if path.parent.is_dir():
            folders.add(path.parent)
    for folder in folders:
        sync_folder(folder)


@hookimpl
def cordwood_plugins() -> list[type[Place[FolderConfig]]]:
    """The place of this module."""
    return [Folder]
