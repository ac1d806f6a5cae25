"""Files in a folder, Parquet or NDJSON, by the day of arrival.

    outputs:
      archive: {type: file, folder: /srv/archive, format: parquet, every: 5m}

A file is written beside its place, brought to the disk, and renamed: it is never there in part. After a crash the same
events go into a file of the same name, so nothing is there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from ..plugins import Lot, Need, Output, RetryableError, hookimpl, in_worker, writable, write_durably
from .rendering import FilesConfig, file_bytes, file_name


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} is not absolute: write it from the root, such as /srv/archive")
    return path


class FileConfig(FilesConfig):
    """Settings of the output file."""

    folder: Annotated[Path, AfterValidator(_absolute)]
    """The folder, from the root; made when the first file is written. The node that sends must reach it."""


class File(Output[FileConfig]):
    """Files in a folder, Parquet or NDJSON, in folders by the day of arrival."""

    def needs(self) -> Sequence[Need]:
        """Its folder."""
        return [writable("folder", self.config.folder)]

    async def write(self, lot: Lot) -> None:
        """Write one file; it is on the disk on return.

        :raises RetryableError: the folder takes no file
        """
        path = self.config.folder / file_name(lot, self.config.format)
        try:
            await in_worker(self._write, path, lot)
        except OSError as why:
            raise RetryableError(f"{self.config.folder} takes no file: {why.strerror or why} ({why.filename})") from why

    def _write(self, path: Path, lot: Lot) -> None:
        write_durably(path, file_bytes(lot.batch, self.config.format))


@hookimpl
def cordwood_plugins() -> list[type[Output[Any]]]:
    """The output of this module."""
    return [File]
