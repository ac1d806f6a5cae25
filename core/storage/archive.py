"""The container of a backup: a plain tar of parts that are compressed already, with a checksum of each.

    manifest.json           what was backed up (see `backup.Manifest`)
    tables/NAME.copy.zst    the rows of a table as PostgreSQL's COPY writes text, zstd
    segments/ID.parquet     the bytes of a segment
    SHA256SUMS              last: a line for each of the others, as `sha256sum -c` reads it

So `tar xf F && sha256sum -c SHA256SUMS` checks a backup, and `tar xOf F tables/NAME.copy.zst | zstd -dc` shows a table.
Invariants: SHA256SUMS is the last member and names every other one exactly once; without it the file was cut.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ...plugins.errors import CordwoodError

SUMS: Final = "SHA256SUMS"
CHUNK: Final = 1 << 20
_BLOCK = tarfile.BLOCKSIZE


class BackupError(CordwoodError):
    """A backup cannot be made, or a file is none, is damaged, or cannot be restored here."""


class ArchiveWriter:
    """Writes `path` by way of `path.part`, which is renamed once it is whole and on the disk. All methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        try:
            self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT, 0o600), "rb+")
        except OSError as why:
            raise BackupError(f"{self._part} cannot be written: {why.strerror}") from why
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            self._file.close()
            raise BackupError(f"another backup is writing {self._part}") from why
        self._file.truncate(0)
        self._sums: dict[str, str] = {}
        self._name = ""
        self._start = 0
        self._hash = hashlib.sha256()

    @property
    def written(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def begin(self, name: str) -> None:
        """Begin a member; its bytes follow with `write`, and `end` closes it."""
        self._name, self._start, self._hash = name, self._file.tell(), hashlib.sha256()
        self._file.write(bytes(_BLOCK))

    def write(self, data: bytes) -> None:
        """More bytes of the member."""
        self._hash.update(data)
        self._file.write(data)

    def end(self) -> None:
        """The member is whole: fill it up to a block, and write its size where its header stands."""
        self._sums[self._name] = self._hash.hexdigest()
        end = self._file.tell()
        header = tarfile.TarInfo(self._name)
        header.size, header.mode = end - self._start - _BLOCK, 0o600
        self._file.write(bytes(-end % _BLOCK))
        after = self._file.tell()
        self._file.seek(self._start)
        self._file.write(header.tobuf(tarfile.GNU_FORMAT))
        self._file.seek(after)

    def add(self, name: str, data: bytes) -> None:
        """A member whose bytes are at hand."""
        self.begin(name)
        self.write(data)
        self.end()

    def finish(self) -> None:
        """Write the checksums, bring everything to the disk, and give the file its name."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in self._sums.items())
        self.add(SUMS, lines.encode())
        self._file.write(bytes(2 * _BLOCK))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self.path)
        self._file.close()
        folder = os.open(self.path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Leave nothing behind; harmless after `finish`."""
        if not self._file.closed:
            self._part.unlink(missing_ok=True)
            self._file.close()


class ArchiveReader:
    """Reads a backup. `members` maps names to (offset, size) in bytes. All methods block.

    :raises BackupError: from the constructor: it cannot be read, is no backup, or was cut
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as why:
            raise BackupError(f"{path} cannot be read: {why.strerror}") from why
        try:
            self._open()
        except BackupError:
            self.close()
            raise

    def _open(self) -> None:
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                found = tar.getmembers()
        except tarfile.TarError as why:
            raise BackupError(f"{self.path} is no backup of Cordwood, or is damaged: {why}") from why
        self.members = {member.name: (member.offset_data, member.size) for member in found}
        self.size = self.path.stat().st_size
        if not found or found[-1].name != SUMS or found[-1].offset_data + found[-1].size > self.size:
            raise BackupError(f"{self.path} is not whole: its end is missing")
        lines = [line.split("  ", 1) for line in self.read(SUMS).decode(errors="replace").splitlines()]
        self._sums = {line[-1]: line[0] for line in lines}
        if set(self._sums) != set(self.members) - {SUMS} or len(found) != len(self.members):
            raise BackupError(f"{self.path} is damaged: its parts are not those that {SUMS} names")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, some at a time; its checksum is compared at the end.

        :raises BackupError: they are not what was written
        """
        offset, size = self.members[name]
        digest = hashlib.sha256()
        while size:
            self._file.seek(offset)
            data = self._file.read(min(CHUNK, size))
            if not data:
                break
            offset, size = offset + len(data), size - len(data)
            digest.update(data)
            yield data
        if size or (name != SUMS and digest.hexdigest() != self._sums[name]):
            raise BackupError(f"{self.path} is damaged: {name} is not what was written")

    def read(self, name: str) -> bytes:
        """A whole member.

        :raises BackupError: there is none, or it is not what was written
        """
        if name not in self.members:
            raise BackupError(f"{self.path} has no {name}: it is no backup of Cordwood, or is damaged")
        return b"".join(self.chunks(name))

    def check(self, progress: Callable[[int, int], None]) -> None:
        """Compare every checksum; `progress` gets (bytes done, of how many).

        :raises BackupError: a member is not what was written
        """
        done = 0
        for name in self.members:
            for data in self.chunks(name):
                done += len(data)
                progress(done, self.size)
