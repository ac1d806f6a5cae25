"""The cache folder of this machine: its files are right, or they are fetched again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anyio.to_thread

from ..files import checksum_of
from .examination import Examination
from .finding import Finding, fail, listed, ok, warn

SAMPLE = 50
_ABANDONED_SECONDS = 600


async def cache(examination: Examination) -> AsyncIterator[Finding]:
    """Compare files with the catalog's checksums: all of them (`deep`), or some."""
    folder = examination.cache
    if folder is None or not folder.is_dir():
        yield ok("cache", "none on this machine")
        return
    ids = await anyio.to_thread.run_sync(lambda: sorted(int(file.stem) for file in folder.glob("*.parquet")))
    rows = await examination.pool.fetch("select id, checksum from segment where id = any($1::bigint[])", ids)
    known = {row["id"]: row["checksum"] for row in rows}
    step = 1 if examination.deep else max(1, -(-len(known) // SAMPLE))
    looked = {id_: known[id_] for id_ in sorted(known)[::step]}
    wrong, problems = await anyio.to_thread.run_sync(_look, folder, looked)
    for finding in listed(problems):
        yield finding
    if not wrong:
        rest = "" if examination.deep else "; --deep looks at all"
        yield ok("cache", f"{len(looked)} of {len(ids)} files compared, all right{rest}", where=str(folder))


def _look(folder: Path, checksums: Mapping[int, bytes]) -> tuple[int, list[Finding]]:
    wrong = []
    for id_, checksum in checksums.items():
        path = folder / f"{id_}.parquet"
        try:
            right = checksum_of(path.read_bytes()) == checksum
        except FileNotFoundError:
            continue  # evicted meanwhile
        except OSError as why:
            wrong.append(
                warn("cache", f"cannot be read: {why.strerror}", "see what is wrong with the disk", where=str(path))
            )
            continue
        if not right:
            mend = "delete it: it is fetched again; where there are more, the disk fails"
            wrong.append(fail("cache", "has other bytes than its segment", mend, where=str(path)))
    old = time.time() - _ABANDONED_SECONDS
    halves = [file for file in folder.glob("*.part") if file.stat().st_mtime < old]
    if halves:
        mend = "the next start deletes them"
        wrong.append(warn("cache", f"{len(halves)} files were left half-written", mend, where=str(folder)))
    return len(wrong), wrong


CHECKS = (cache,)
