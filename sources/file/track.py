"""Which file is which: known again after a restart, a rotation, a copy or a compression, or new.

A file is known by its inode, and its first bytes must fit. Three kinds of files with a new inode are known too, and are
read from where their content had been read to: a compressed file whose original was followed (`a.log.1.gz`); the copy
that rotation by copy and truncation makes; and a file whose device got another number after a reboot.
"""

from __future__ import annotations

import math
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...plugins import Json
from .content import VanishedError, content_start, kind_of, open_file
from .follow import Follow
from .position import PACKED, Position, is_rotation_of, same_stem, unrotated
from .scan import Inode, Seen

HOLD_S = 3.0
"""How long a file that may be a copy in the making is left alone: rotation truncates the original once it is made."""
_GIVEN_UP = 20
WHOLE = 1 << 53
"""An offset beyond any content: all of a compressed file whose length nobody counted."""
_RETIRED = 1_000


@dataclass(frozen=True, slots=True)
class _Wait:
    """It cannot be said yet what this file is; `bounded`: after a while without change it is a file of its own."""

    bounded: bool


class Tracker:
    """The files followed, and the committed positions of all files ever followed under this prefix."""

    def __init__(self, prefix: str, known: Mapping[str, Json], *, at_end: bool, max_open: int) -> None:
        self.files: dict[Inode, Follow] = {}
        self._seen: set[Inode] = set()
        self._prefix, self._known, self._max_open = prefix, dict(known), max_open
        self._by_stem: dict[str, set[str]] = {}
        self._retired: list[Position] = []
        self._replaced: set[Inode] = set()
        self._postponed: set[str] = set()
        self._held: dict[Inode, tuple[int, float]] = {}
        self._live: dict[str, list[Follow]] = {}
        self._open: OrderedDict[Inode, Follow] = OrderedDict()
        self.at_end = at_end and not known
        """New files are followed from their end: only until the first look is done."""
        for key, value in known.items():
            self.remember(key, value)

    def remember(self, key: str, value: Json) -> None:
        """This position is committed."""
        self._known[key] = value
        path = Position.of(value).path
        if path:
            self._by_stem.setdefault(unrotated(Path(path).name), set()).add(key)

    def there(self) -> set[str]:
        """The keys of the files that the last look found, and of those that are still read."""
        return {self._key(inode) for inode in self._seen | self.files.keys()}

    def forget(self, keys: Sequence[str]) -> None:
        """The positions of these files are no longer in the store."""
        for key in keys:
            path = Position.of(self._known.pop(key, None)).path
            if path:
                stem = unrotated(Path(path).name)
                others = self._by_stem.get(stem, set())
                others.discard(key)
                if not others:
                    self._by_stem.pop(stem, None)

    def _key(self, inode: Inode) -> str:
        return f"{self._prefix}{inode[0]}:{inode[1]}"

    def committed(self, file: Follow) -> Json:
        """The last position known to be committed for this file."""
        return self._known.get(file.key)

    def look(self, scan: list[Seen]) -> list[Follow]:
        """Take in what a scan found; returns the new files whose place must be committed before anything is read.

        Opens and reads new files' heads: call it in a worker thread.
        """
        now = time.monotonic()
        seen = {one.inode: one for one in scan}
        self._seen = set(seen)
        for inode, followed in self.files.items():
            if inode in seen:
                followed.update(seen[inode])
            elif followed.gone_at is None:
                followed.gone_at = now
        for inode in self._held.keys() - seen.keys():
            del self._held[inode]
        self._postponed.clear()
        placed = []
        for one in sorted(scan, key=lambda one: one.path.endswith(PACKED)):  # an original before what was made of it
            if one.inode not in self.files and (file := self._meet(one, now)):
                self.files[one.inode] = file
                self._live.setdefault(file.stem, []).append(file)
                self.touch(file)
                if file.sent != file.position.json() and file.position.offset:
                    placed.append(file)
        return placed

    def touch(self, file: Follow) -> None:
        """This file was used: the least recently used ones beyond the bound are closed, but none that is gone."""
        self._open[file.inode] = file
        self._open.move_to_end(file.inode)
        for inode in list(self._open):
            if len(self._open) <= self._max_open:
                break
            if self._open[inode].gone_at is None and inode != file.inode:
                self._open.pop(inode).close()

    def drop(self, file: Follow) -> None:
        """Follow it no more; its committed position stays known."""
        file.close()
        self._open.pop(file.inode, None)
        if self.files.pop(file.inode, None):
            self._live[file.stem].remove(file)

    def replaced(self, file: Follow) -> None:
        """Its content is another now: truncated, or written anew. It is met again at the next look as what it is."""
        self.drop(file)

    def close(self) -> None:
        """Give all descriptors back."""
        for file in self.files.values():
            file.close()

    def _meet(self, one: Seen, now: float) -> Follow | None:
        """A file not followed yet; None: not now."""
        try:
            descriptor = open_file(one.path, one.inode)
        except VanishedError:
            return None
        found: Follow | None = None
        try:
            found = self._identify(one, descriptor, now)
        finally:
            if found is None:
                os.close(descriptor)
        return found

    def _identify(self, one: Seen, descriptor: int, now: float) -> Follow | None:
        key = self._key(one.inode)
        if not one.size and key not in self._known:
            return None  # what it will be, its first bytes tell
        start, sure = b"", True
        kind = kind_of(os.pread(descriptor, 4, 0))
        if kind is not None:
            start, sure = content_start(descriptor, kind)
        if not sure or kind is None:
            # Somebody is writing it; a compressed file that is left so short was given up by its writer.
            if self._holds(one, now, HOLD_S if kind is None else _GIVEN_UP * HOLD_S):
                return None
            kind = kind or "plain"
        value = self._known.get(key)
        packed = kind != "plain"
        position = Position.of(value) if value is not None else Position(packed=packed)
        same = position.fits(start) and position.packed == packed and (packed or one.size >= position.offset)
        if value is not None and not same:
            # Copies of the old content are settled in the same look or the next, before the new content is read.
            self._retire(position)
            if one.inode not in self._replaced:
                self._replaced.add(one.inode)
                self._postponed.add(unrotated(Path(one.path).name))
                return None
            position = Position(packed=packed)
        if not position.offset:
            match self._match(one, key, kind, start):
                case _Wait(bounded) if self._holds(one, now, HOLD_S if bounded else math.inf):
                    return None
                case Position() as known:
                    position = replace(known, path=one.path, packed=packed)
                    if not packed:
                        position = replace(position, offset=min(position.offset, one.size))
                case None if unrotated(Path(one.path).name) in self._postponed:
                    return None  # it may be a copy of one that is met at the next look only
                case _ if self.at_end and value is None:
                    position = _end(descriptor, one, kind, start)
        self._replaced.discard(one.inode)
        self._held.pop(one.inode, None)
        return Follow(key, one.inode, one.path, kind, position, value, one.size, one.mtime_ns, descriptor, start)

    def _retire(self, position: Position) -> None:
        if position.head and position not in self._retired:
            self._retired = [*self._retired[1 - _RETIRED :], position]

    def _holds(self, one: Seen, now: float, longest: float) -> bool:
        size, since = self._held.get(one.inode, (-1, 0.0))
        if size != one.size:
            self._held[one.inode] = one.size, now
            return True
        return now - since < longest

    def _match(self, one: Seen, key: str, kind: str, start: bytes) -> Position | _Wait | None:
        """The position of known content that this file holds again; or that one has to wait; or None: it is new."""
        best: Position | None = None
        wait: _Wait | None = None
        for original in self._live.get(unrotated(Path(one.path).name), ()):
            length = min(len(original.start), len(start))
            if original.kind != "plain" or not length or original.start[:length] != start[:length]:
                continue
            if kind != "plain" and Path(original.path).parent == Path(one.path).parent:
                wait = _Wait(bounded=False)  # it is read as long as it is there; then what was made of it goes on
            elif kind == "plain" and is_rotation_of(one.path, original.path):
                wait = wait or _Wait(bounded=original.gone_at is None)
        for known, renumbered in self._candidates(one, key):
            if not known.head or not known.fits(start):
                continue
            same_path = renumbered and known.path == one.path
            if kind == "plain" and not same_path and not is_rotation_of(one.path, known.path):
                continue
            if best is None or (known.head, known.offset) > (best.head, best.offset):
                best = known
        return best or wait if kind == "plain" else wait or best

    def _candidates(self, one: Seen, key: str) -> Iterator[tuple[Position, bool]]:
        """Positions of content with such a name that is followed no more, and whether only the device differs."""
        for other in self._by_stem.get(unrotated(Path(one.path).name), ()):
            if other != key:
                device, number = (int(part) for part in other.removeprefix(self._prefix).split(":"))
                if (device, number) not in self.files:
                    yield Position.of(self._known[other]), number == one.inode[1]
        for retired in self._retired:
            if same_stem(one.path, retired.path):
                yield retired, False


def _end(descriptor: int, one: Seen, kind: str, start: bytes) -> Position:
    """The position after the last whole line; of a compressed file, after everything."""
    if kind != "plain":
        return Position(packed=True).advanced(WHOLE, start, one.path)
    back = max(0, one.size - (1 << 20))
    tail = os.pread(descriptor, one.size - back, back)
    return Position().advanced(back + tail.rfind(b"\n") + 1, start, one.path)
