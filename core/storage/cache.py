"""The local cache of segment files: bounded by bytes, least recently used out first, each checked before its first use.

Segments never change, so a file whose bytes have the catalog's checksum is right for ever. Files are written beside
their place and renamed into it, so a crash leaves no half file and processes may share the folder; what an earlier
process has left is compared with its checksum once, and fetched again where it is wrong.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from ...plugins.errors import CordwoodError, RetryableError
from .files import Files, FoundFile
from .segment import Segment

_FETCH_BYTES = 32 * 1024 * 1024  # bytes asked of PostgreSQL at once
_ABANDONED_SECONDS = 600  # a half-written file this old belongs to nobody: no write takes so long
_DAMAGED_SECONDS = 30.0  # how long what is known of a damaged segment holds, lest every query reads its bytes again
_PASSING_SECONDS = 2.0  # the same where a place does not answer
_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


class SegmentGoneError(CordwoodError):
    """A segment was replaced meanwhile and its bytes are gone: read the catalog again."""


class SegmentDamagedError(CordwoodError):
    """The right bytes of some segments cannot be had: `damaged` says why, by segment id. All others can.

    `passing` are those of them whose place does not answer, or is not configured: they may be read in a while.
    """

    def __init__(self, damaged: Mapping[int, str], passing: Collection[int] = ()) -> None:
        super().__init__("; ".join(f"segment {id_}: {why}" for id_, why in damaged.items()))
        self.damaged = dict(damaged)
        self.passing = frozenset(passing)


class SegmentCache:
    """Files of `folder`, named by segment id."""

    def __init__(self, files: Files, folder: Path, *, max_bytes: int) -> None:
        self._files = files
        self.folder = folder
        self.max_bytes = max_bytes
        self._checked: dict[int, tuple[int, int]] = {}  # (inode, size) of the files whose bytes are known to be right
        self._damaged: dict[int, tuple[FoundFile, float]] = {}
        self._fetching: dict[int, anyio.Event] = {}
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.part"):
            with suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > _ABANDONED_SECONDS:
                    leftover.unlink()

    def path(self, segment_id: int) -> Path:
        """Where the segment's file is, if it is."""
        return self.folder / f"{segment_id}.parquet"

    async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
        """Local files of the segments by id, fetched where missing. No two callers fetch the same bytes.

        :raises SegmentGoneError: a segment was replaced and deleted meanwhile
        :raises SegmentDamagedError: the bytes of some are wrong or missing where they are kept
        :raises RetryableError: there is no room for the files, or their place does not answer
        """
        damaged: dict[int, FoundFile] = {}
        rest = [segment for segment in segments if not self._touch(segment)]
        while rest:
            known, now = self._damaged, time.monotonic()
            damaged |= {s.id: known[s.id][0] for s in rest if s.id in known and known[s.id][1] > now}
            mine = [s for s in rest if s.id not in self._fetching and s.id not in damaged]
            others = [self._fetching[s.id] for s in rest if s.id in self._fetching]
            if mine:
                await self._fetch_for_all(mine, {segment.id for segment in segments})
            for event in others:
                await event.wait()
            # What another has fetched for us: it may have failed, or been evicted since.
            rest = [s for s in rest if s.id not in damaged and not self._touch(s)]
        if damaged:
            passing = [id_ for id_, file in damaged.items() if file.passing]
            raise SegmentDamagedError({id_: file.problem for id_, file in damaged.items()}, passing)
        return {segment.id: self.path(segment.id) for segment in segments}

    def put(self, segment_id: int, data: bytes) -> None:
        """Keep a segment that this node has just written. Blocking; a full disk only costs the later fetch."""
        with suppress(OSError, SegmentGoneError):
            self._write(segment_id, data)

    def forget(self, segment_ids: Collection[int]) -> None:
        """Delete the files of segments; they are fetched again where they are wanted. Blocking."""
        for segment_id in segment_ids:
            self.path(segment_id).unlink(missing_ok=True)
            self._checked.pop(segment_id, None)

    async def forget_dead(self) -> int:
        """Delete the files of all segments that the catalog does not hold alive; how many segments that were.

        Also half-written ones, and those that are being fetched now.
        """
        for fetched in list(self._fetching.values()):
            await fetched.wait()
        files = await anyio.to_thread.run_sync(self._all_files)
        dead = files.keys() - await self._files.alive(list(files))
        await anyio.to_thread.run_sync(_unlink, [path for id_ in dead for path in files[id_]])
        for id_ in dead:
            self._checked.pop(id_, None)
        return len(dead)

    def _all_files(self) -> dict[int, list[Path]]:
        """The folder's files by segment id, half-written ones too."""
        found: dict[int, list[Path]] = {}
        for path in self.folder.glob("[0-9]*.*"):
            found.setdefault(int(path.name.partition(".")[0]), []).append(path)
        return found

    def _touch(self, segment: Segment) -> bool:
        """Whether the segment's file is there and known to be right; notes that it is used."""
        path = self.path(segment.id)
        try:
            stat = path.stat()
            if self._checked.get(segment.id) != (stat.st_ino, stat.st_size):
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    async def _fetch_for_all(self, mine: Sequence[Segment], needed: set[int]) -> None:
        """Check or fetch these files, while others who want them wait."""
        done = anyio.Event()
        self._fetching.update((segment.id, done) for segment in mine)
        try:
            missing = await anyio.to_thread.run_sync(self._without_right_ones, mine)
            if missing:
                await self._fetch(missing, needed)
        finally:
            for segment in mine:
                del self._fetching[segment.id]
            done.set()

    def _without_right_ones(self, segments: Sequence[Segment]) -> list[Segment]:
        """The segments without a file that has the right bytes; a wrong file is deleted. Blocking."""
        missing = []
        for segment in segments:
            path = self.path(segment.id)
            try:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").digest()
                    stat = os.fstat(file.fileno())
            except OSError as why:
                if not isinstance(why, FileNotFoundError):
                    _log.warning("the cached file %s cannot be read and is fetched again: %s", path, why)
                missing.append(segment)
                continue
            if segment.checksum and found != segment.checksum:
                _log.warning("the cached file %s has other bytes than the catalog says: it is fetched again", path)
                path.unlink(missing_ok=True)
                missing.append(segment)
                continue
            self._checked[segment.id] = (stat.st_ino, stat.st_size)
        return missing

    async def _fetch(self, missing: Sequence[Segment], needed: set[int]) -> None:
        start = 0
        while start < len(missing):
            end, size = start, 0
            while end < len(missing) and (end == start or size + missing[end].bytes <= _FETCH_BYTES):
                size += missing[end].bytes
                end += 1
            ids = [segment.id for segment in missing[start:end]]
            found = await self._files.read(ids)
            if len(found) < len(ids):
                raise SegmentGoneError(f"segments {sorted(set(ids) - {file.id for file in found})} were replaced")
            for file in found:
                if file.data is None:
                    if not file.passing:
                        _log.error("segment %d is damaged: %s", file.id, file.problem)
                    seconds = _PASSING_SECONDS if file.passing else _DAMAGED_SECONDS
                    self._damaged[file.id] = (file, time.monotonic() + seconds)
                    continue
                self._damaged.pop(file.id, None)
                try:
                    await anyio.to_thread.run_sync(self._write, file.id, file.data, needed)
                except OSError as why:
                    message = f"the cache folder {self.folder} takes no file: {why.strerror or why}; make room there"
                    raise RetryableError(message, after=10) from why
            start = end
        await anyio.to_thread.run_sync(self._shrink, needed)

    def _write(self, segment_id: int, data: bytes, needed: Collection[int] = ()) -> None:
        """Put a file into its place; where the disk is full, others make room for it."""
        try:
            self._write_once(segment_id, data)
        except OSError as why:
            if why.errno not in _FULL or not self._evict(self._sizes(), 2 * len(data) + self.max_bytes // 64, needed):
                raise
            _log.warning("the disk of the cache is full: %s; the files used longest ago were deleted", self.folder)
            self._write_once(segment_id, data)
        self._written += len(data)
        if self._written > self.max_bytes // 16:
            self._shrink(needed)

    def _write_once(self, segment_id: int, data: bytes) -> None:
        part = self.folder / f"{segment_id}.{os.getpid()}.{threading.get_ident()}.part"  # a fetch and `put` may meet
        try:
            with part.open("wb") as file:
                file.write(data)
                stat = os.fstat(file.fileno())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        try:
            part.replace(self.path(segment_id))
        except FileNotFoundError as why:
            raise SegmentGoneError(f"segment {segment_id} was deleted while its file was written") from why
        self._checked[segment_id] = (stat.st_ino, len(data))

    def _sizes(self) -> list[tuple[float, int, Path]]:
        """(last use, bytes, path) of all files, those used longest ago first."""
        files = []
        for path in self.folder.glob("*.parquet"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        return sorted(files)

    def _shrink(self, needed: Collection[int]) -> None:
        """Delete the files used longest ago until the rest fits; those needed now stay."""
        self._written = 0
        files = self._sizes()
        self._evict(files, sum(size for _, size, _ in files) - self.max_bytes, needed)

    def _evict(self, files: Sequence[tuple[float, int, Path]], wanted: int, needed: Collection[int]) -> int:
        """Delete files from the first on until so many bytes are free; how many bytes were."""
        freed = 0
        for _, size, path in files:
            if freed >= wanted:
                break
            segment_id = int(path.stem)
            if segment_id not in needed:
                self.forget((segment_id,))
                freed += size
        return freed


def _unlink(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
