"""A file that a parser reads and that others may replace meanwhile: what was made of it, made again when it changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from ..plugins import ConfigError

T = TypeVar("T")
_Version: TypeAlias = tuple[int, int, int]
_EVERY_S = 1.0  # between two looks
_log = logging.getLogger(__name__)


class Refreshed(Generic[T]):
    """What `read` makes of a file. Where a new version cannot be read, the one before stays, and a warning is logged.

    Several threads may ask; one of them reads while the others go on with the old one.
    """

    def __init__(self, setting: str, path: Path, read: Callable[[Path], T]) -> None:
        """Nothing is read yet.

        :param setting: the one that names the file, for messages
        :param read: what makes something of it; raises ConfigError where it is none of its kind
        """
        self._setting, self._path, self._read = setting, path, read
        self._made: tuple[T] | None = None
        self._known: _Version | None = None
        self._looked = 0.0
        self._lock = threading.Lock()

    def get(self) -> T:
        """What the file says now, a second late at most. Blocking where it is read.

        :raises ConfigError: it has never been readable
        """
        if (made := self._made) is None:
            with self._lock:
                if self._made is None:
                    self._known = self._version()
                    self._made = (self._read(self._path),)
                    self._looked = time.monotonic()
                made = self._made
            return made[0]
        if time.monotonic() - self._looked < _EVERY_S or not self._lock.acquire(blocking=False):
            return made[0]
        try:
            self._looked = time.monotonic()
            self._look()
            return (self._made or made)[0]
        finally:
            self._lock.release()

    def _look(self) -> None:
        try:
            version = self._version()
        except ConfigError as why:
            if self._known is not None:
                _log.warning("%s; what was read of it before is used on", why)
            self._known = None
            return
        if version == self._known:
            return
        self._known = version
        try:
            self._made = (self._read(self._path),)
        except ConfigError as why:
            _log.warning("%s; what was read of it before is used on", why)
        else:
            _log.info("read %s again: it was replaced", self._path)

    def _version(self) -> _Version:
        """What changes when the file does.

        :raises ConfigError: it is not there
        """
        try:
            found = self._path.stat()
        except OSError as why:
            raise ConfigError(
                f"{self._setting}: {self._path} cannot be read: {why.strerror}", hint="put it there, or name another"
            ) from None
        return found.st_ino, found.st_size, found.st_mtime_ns
