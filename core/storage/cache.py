"""The local cache of segment files: bounded by bytes, least recently used out first.

Segments never change, so a file that is there is right. Files are written beside their place and renamed into it, so a
crash leaves no half file, and processes may share the folder.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg

from ...plugins.errors import CordwoodError
from .segment import Segment

_FETCH_BYTES = 32 * 1024 * 1024  # bytes asked of PostgreSQL at once
_log = logging.getLogger(__name__)


class SegmentGoneError(CordwoodError):
    """A segment was replaced meanwhile and its bytes are gone: read the catalog again."""


class SegmentCache:
    """Files of `folder`, named by segment id."""

    def __init__(self, pool: asyncpg.Pool, folder: Path, *, max_bytes: int) -> None:
        self._pool = pool
        self.folder = folder
        self.max_bytes = max_bytes
        self._lock = anyio.Lock()
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.part"):
            leftover.unlink(missing_ok=True)

    def path(self, segment_id: int) -> Path:
        """Where the segment's file is, if it is."""
        return self.folder / f"{segment_id}.parquet"

    async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
        """Local files of the segments by id, fetched from PostgreSQL where missing.

        :raises SegmentGoneError: a segment was replaced and deleted meanwhile
        """
        missing = [segment for segment in segments if not self._touch(self.path(segment.id))]
        if missing:
            async with self._lock:  # one fetch at a time: two queries for the same segments read them once
                await self._fetch([segment for segment in missing if not self.path(segment.id).exists()], segments)
        return {segment.id: self.path(segment.id) for segment in segments}

    def put(self, segment_id: int, data: bytes) -> None:
        """Keep a segment that this node has just written. Blocking; a full disk only costs the later fetch."""
        with suppress(OSError):
            self._write(segment_id, data)

    def _touch(self, path: Path) -> bool:
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    async def _fetch(self, missing: Sequence[Segment], needed: Sequence[Segment]) -> None:
        start = 0
        while start < len(missing):
            end, size = start, 0
            while end < len(missing) and (end == start or size + missing[end].bytes <= _FETCH_BYTES):
                size += missing[end].bytes
                end += 1
            ids = [segment.id for segment in missing[start:end]]
            rows = await self._pool.fetch("select segment_id, data from segment_file where segment_id = any($1)", ids)
            if len(rows) < len(ids):
                raise SegmentGoneError(f"segments {sorted(set(ids) - {row[0] for row in rows})} were replaced")
            for row in rows:
                await anyio.to_thread.run_sync(self._write, row[0], row[1])
            start = end
        await anyio.to_thread.run_sync(self._shrink, {segment.id for segment in needed})

    def _write(self, segment_id: int, data: bytes) -> None:
        part = self.folder / f"{segment_id}.{os.getpid()}.{threading.get_ident()}.part"  # a fetch and `put` may meet
        try:
            part.write_bytes(data)
            part.replace(self.path(segment_id))
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._written += len(data)
        if self._written > self.max_bytes // 16:
            self._shrink(set())

    def _shrink(self, needed: set[int]) -> None:
        """Delete the files used longest ago until the rest fits; those of a running query stay."""
        self._written = 0
        keep = {self.path(segment_id) for segment_id in needed}
        files = []
        for path in self.folder.glob("*.parquet"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.max_bytes:
                return
            if path not in keep:
                path.unlink(missing_ok=True)
                total -= size
