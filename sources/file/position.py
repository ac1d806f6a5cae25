"""Where a file was read to, and how a file is known again: by its inode, and by a hash of its first bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...plugins import Json

HEAD = 1024
"""Bytes at the start of a file that tell it from others. Larger tells more files with a common banner apart, and costs
a longer read at each look; stored positions keep the length that they were made with."""


@dataclass(frozen=True, slots=True)
class Position:
    """The next unread byte of a file's content (of a compressed file: decompressed), and its fingerprint.

    The fingerprint covers the first `head` bytes, which is the smaller of `HEAD` and `offset`: it grows with what was
    read, so that a file which is still short is known again when it has grown.
    """

    offset: int = 0
    head: int = 0
    hash: str = ""
    path: str = ""
    packed: bool = False
    """The file is compressed: an inode that held a plain file holds another now, even if of the same content."""

    def json(self) -> dict[str, Json]:
        """As the checkpoint keeps it."""
        return {"offset": self.offset, "head": self.head, "hash": self.hash, "path": self.path, "packed": self.packed}

    @classmethod
    def of(cls, value: Json) -> Position:
        """The position that a checkpoint holds; the beginning where it holds none."""
        if not isinstance(value, Mapping):
            return cls()
        offset, head = value.get("offset"), value.get("head")
        if not isinstance(offset, int) or not isinstance(head, int):
            return cls()
        return cls(offset, head, str(value.get("hash", "")), str(value.get("path", "")), value.get("packed") is True)

    def fits(self, start: bytes) -> bool:
        """Whether content that begins with `start` (`HEAD` bytes, or all there are) can be the one meant here."""
        return len(start) >= self.head and (not self.head or fingerprint(start[: self.head]) == self.hash)

    def advanced(self, offset: int, start: bytes, path: str) -> Position:
        """The position further on, with as much fingerprint as `start` (the content's first bytes) gives."""
        head = min(HEAD, offset, len(start))
        if head == self.head:
            return replace(self, offset=offset, path=path)
        return replace(self, offset=offset, head=head, hash=fingerprint(start[:head]), path=path)


def fingerprint(start: bytes) -> str:
    """128 bits of BLAKE2b in hexadecimal."""
    return hashlib.blake2b(start, digest_size=16).hexdigest()


PACKED = (".gz", ".gzip", ".zst", ".zstd")
_PACKED = re.compile(r"\.(gz|gzip|zst|zstd)$")
_SERIAL = re.compile(r"[._-]\d[\d._T:-]*$")
_DATED = re.compile(r"[._-]\d[\d._T:-]*(?=\.[A-Za-z]\w*$)")


def unrotated(name: str) -> str:
    """The name that a file had before rotation gave it a number or a date, and compression a suffix.

    >>> [unrotated(n) for n in ("a.log", "a.log.1", "a.log-20260131.gz", "a-2026-01-31.log", "syslog.2.zst")]
    ['a.log', 'a.log', 'a.log', 'a.log', 'syslog']
    """
    name = _PACKED.sub("", name)
    return _DATED.sub("", _SERIAL.sub("", name))


def is_rotation_of(path: str, original: str) -> bool:
    """Whether `path` is what rotation by copy makes of `original`: a number or date added, in the same folder."""
    new, old = Path(path), Path(original)
    return new.parent == old.parent and new.name != old.name and unrotated(new.name) == old.name


def same_stem(path: str, other: str) -> bool:
    """Whether both may be the same log, rotated and compressed differently often."""
    return unrotated(Path(path).name) == unrotated(Path(other).name)
