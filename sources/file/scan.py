"""Which files there are: globs to a list of regular files, each inode once.

Paths are text here, not `Path`: there may be thousands at each look.
"""
# ruff: noqa: PTH100, PTH111, PTH116, PTH207

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Inode = tuple[int, int]
"""Device and inode number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as a scan found it."""

    path: str
    inode: Inode
    size: int
    mtime_ns: int


class Scanner:
    """Finds the files of some globs (`*`, `?`, `[…]`, `**` for any folders); symbolic links are followed."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = tuple(os.path.abspath(os.path.expanduser(pattern)) for pattern in include)
        self._exclude = tuple(re.compile(glob_regex(pattern)) for pattern in exclude)

    def scan(self) -> list[Seen]:
        """The files of now, in the order of the globs and then by name; a file of two names counts once."""
        found: dict[Inode, Seen] = {}
        for pattern in self._include:
            for path in sorted(glob.iglob(pattern, recursive=True)):
                if any(excluded.fullmatch(path) for excluded in self._exclude):
                    continue
                try:
                    now = os.stat(path)
                except OSError:
                    continue  # it vanished meanwhile, or its folder may not be read
                if stat.S_ISREG(now.st_mode):
                    inode = now.st_dev, now.st_ino
                    found.setdefault(inode, Seen(path, inode, now.st_size, now.st_mtime_ns))
        return list(found.values())


def moved_to(path: str, inode: Inode) -> str | None:
    """The name that a file which was at `path` has now in the same folder; None: it is gone."""
    folder = Path(path).parent
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.inode() == inode[1] and entry.is_file() and entry.stat().st_dev == inode[0]:
                    return entry.path
    except OSError:
        return None
    return None


def glob_regex(pattern: str) -> str:
    """A regular expression for whole paths; a pattern without a slash means the file's name in any folder.

    >>> bool(re.fullmatch(glob_regex("*.gz"), "/var/log/a.gz")), bool(re.fullmatch(glob_regex("/v/*.gz"), "/v/x/a.gz"))
    (True, False)
    """
    pattern = os.path.expanduser(pattern)
    if "/" not in pattern:
        pattern = "/**/" + pattern
    elif not pattern.startswith("/"):
        pattern = f"{Path.cwd()}/{pattern}"
    regex, rest = "", pattern
    while rest:
        if rest.startswith("**/"):
            regex, rest = regex + "(?:[^/]+/)*", rest[3:]
        elif rest.startswith("**"):
            regex, rest = regex + ".*", rest[2:]
        elif rest[0] == "*":
            regex, rest = regex + "[^/]*", rest[1:]
        elif rest[0] == "?":
            regex, rest = regex + "[^/]", rest[1:]
        elif bracket := re.match(r"\[(!?)(\]?[^\]]*)\]", rest):
            inside = bracket[2].replace("\\", r"\\").replace("[", r"\[")
            regex, rest = regex + f"[{'^' if bracket[1] else ''}{inside}]", rest[bracket.end() :]
        else:
            regex, rest = regex + re.escape(rest[0]), rest[1:]
    return f"(?s:{regex})"
