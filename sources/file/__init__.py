"""Log files: every line once, over rotation, truncation, compression, restart and crash.

    sources:
      access: {type: file, include: [/var/log/nginx/*.log*]}

The position in each file is committed together with the lines before it. Name the rotated files in `include` too
(`app.log*`): what was written just before a rotation is then read even if Cordwood was not running at that moment.
"""

from __future__ import annotations

import codecs
import socket
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from ...plugins import Duration, Every, Need, Outlet, ProjectConfig, Source, duration_ns, hookimpl
from ..forgetting import Forgetting
from .follow import Content, PlainLines, Style
from .needs import files_readable
from .reader import Reader
from .scan import Scanner
from .track import Tracker


class FileConfig(ProjectConfig):
    """Settings of a source of files."""

    include: tuple[str, ...] = Field(min_length=1)
    """Globs of the files to follow, such as `/var/log/nginx/*.log`; `**` stands for any folders. Files that gzip or
    zstd compressed are read too; one whose content was followed before it was compressed is not read again."""
    exclude: tuple[str, ...] = ()
    """Globs of files to leave out; one without a slash, such as `*.tmp`, means the name in any folder."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin in the files that are there when this source runs for the first time."""
    encoding: str = "utf-8"
    """How the text is encoded. Bytes that are no such text are kept as `\\xff`."""
    host: str = ""
    """Name of this machine: the `host` of each event, and part of the stored positions; default: the system's name.
    Set it where that name changes with each start, as in a container."""
    poll: Duration = "250ms"
    """How often to look for new lines and files."""
    partial_after: Duration = "5s"
    """After how long without growth a last line without a line feed counts as finished."""
    forget_after: Every | None = "30d"
    """How long after a file is gone its position is forgotten; one that comes back later, or is mounted again, is read
    from its beginning. `null`: never."""
    max_open: int = Field(256, ge=8, le=65_536)
    """Files held open at once; the others are opened when they grow."""

    @field_validator("encoding")
    @classmethod
    def _splits_at_line_feeds(cls, encoding: str) -> str:
        try:
            name = codecs.lookup(encoding).name
            fits = "a\n".encode(name) == b"a\n"
        except LookupError as why:
            raise ValueError(f"there is no encoding {encoding!r}; write one such as utf-8 or latin-1") from why
        if not fits:
            raise ValueError(f"{encoding} does not write a line feed as ASCII does; convert the files to utf-8")
        return name


class File(Source[FileConfig]):
    """Follow files: lines become events with `log.file.path` and `host`, each line once whatever happens."""

    def needs(self) -> Sequence[Need]:
        """The files that its globs find."""
        return files_readable(self.config.include, self.config.exclude)

    async def run(self, outlet: Outlet) -> None:
        """Follow until cancelled.

        :raises RetryableError: the store did not answer at the start
        """
        await follow_files(outlet, self.config, PlainLines())


async def follow_files(outlet: Outlet, config: FileConfig, content: Content) -> None:
    """Follow files with this content until cancelled.

    :raises RetryableError: the store did not answer at the start
    """
    host = config.host or socket.gethostname()
    prefix = f"file/{outlet.source}/{host}/"
    known = await outlet.checkpoints(prefix)
    tracker = Tracker(prefix, known, at_end=config.start == "end", max_open=config.max_open)
    style = Style(host, config.encoding, duration_ns(config.partial_after) / 1e9, content)
    outlet.started()
    scanner, poll = Scanner(config.include, config.exclude), duration_ns(config.poll) / 1e9
    await Reader(outlet, scanner, tracker, style, poll, Forgetting(outlet, prefix, config.forget_after)).run()


@hookimpl
def cordwood_plugins() -> list[type[File]]:
    """The file source."""
    return [File]
