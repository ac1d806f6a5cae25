"""What `cordwood doctor` checks inside a container: role, secrets, root, volume, limits of its control group."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ..config import Config, Settings
from ..core.storage.doctor.finding import Finding, fail, ok, warn

_MARKS = (".dockerenv", "run/.containerenv")  # Docker's and Podman's
_VARIABLES = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4", "container")
_OWN_BYTES = 400 << 20
"""Of a node that is quiet, its libraries among them; what it works on comes on top."""
_THROTTLED_SHARE = 0.1  # of the periods in which it ran
_GIB = 1024**3


@dataclass(frozen=True)
class Container:
    """A container as the process in it sees it: its file system from `root` on, and its environment."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def is_one(self) -> bool:
        """Whether this is a container at all."""
        return any((self.root / name).exists() for name in _MARKS) or any(map(self.environment.get, _VARIABLES))

    def checks(self, settings: Settings, config: Config | None) -> Iterator[Finding]:
        """All checks; none where this is no container. `config`: None, the pipeline file cannot be read."""
        if not self.is_one():
            return
        yield from self._role(settings)
        yield from self._secrets(settings)
        yield self._root()
        yield self._volume(settings)
        if (self.root / "sys/fs/cgroup/cgroup.controllers").exists():
            yield from self._memory(settings, config)
            yield from self._cpu()
        else:
            yield ok("control group", "not of version 2: its limits of memory and CPU are not looked at")

    def _role(self, settings: Settings) -> Iterator[Finding]:
        told = f"{settings.role}, as user {os.getuid()}"
        if settings.database_url is None and settings.role != "all":
            mend = "set CORDWOOD_DATABASE_URL, the same for all nodes"
            yield fail("role", f"{told}, on a database of its own that no other node sees", mend)
        else:
            yield ok("role", told)
        if os.getuid() == 0:
            yield warn("user", "root", "run it as the image's user: no --user 0, runAsNonRoot: true")

    def _secrets(self, settings: Settings) -> Iterator[Finding]:
        """Which are there, never what they are."""
        url = settings.database_url and urlsplit(settings.database_url)
        if url and not url.password and not any(map(self.environment.get, ("PGPASSWORD", "PGPASSFILE"))):
            mend = "give the container PGPASSWORD, from a secret, unless the server trusts it without"
            yield warn("database password", "neither in CORDWOOD_DATABASE_URL nor in PGPASSWORD", mend)
        elif url:
            yield ok("database password", "given")
        if settings.secret_key is None:
            mend = "set CORDWOOD_SECRET_KEY, from a secret, the same for all nodes"
            yield warn("secret key", "none: secrets of second factors lie in the database as they are", mend)
        else:
            yield ok("secret key", "given")

    def _root(self) -> Finding:
        if os.statvfs(self.root).f_flag & os.ST_RDONLY:
            return ok("root file system", "read-only")
        mend = "start it read-only: read_only: true, readOnlyRootFilesystem: true; with a tmpfs on /tmp"
        return warn("root file system", "can be written", mend)

    def _volume(self, settings: Settings) -> Finding:
        """Where the data folder lies. Whether it can be written is a check of its own."""
        folder = settings.data_dir.absolute()
        kept = "the embedded PostgreSQL and so all events" if settings.database_url is None else "the segment cache"
        kind = self._kind(folder)
        if kind is None:
            found = f"{folder} is in the container's own layer: {kept} end with it"
            return warn("volume", found, f"mount a volume on {folder}")
        if kind == "tmpfs" and settings.database_url is None:
            return warn("volume", f"{folder} is a tmpfs: {kept} end with it", f"mount a volume on {folder}")
        return ok("volume", f"{folder} is a mount of its own ({kind})")

    def _kind(self, folder: Path) -> str | None:
        """Kind of file system of the mount that a folder is on; None: it is the root's."""
        best, kind = PurePosixPath("/"), None
        for line in _lines(self.root / "proc/self/mountinfo"):
            before, _, after = line.partition(" - ")
            point = PurePosixPath(before.split()[4].encode().decode("unicode_escape"))
            if point != PurePosixPath("/") and folder.is_relative_to(point) and len(point.parts) >= len(best.parts):
                best, kind = point, after.split()[0]
        return kind

    def _memory(self, settings: Settings, config: Config | None) -> Iterator[Finding]:
        limits = [int(text) for text in self._values("memory.max") if text.isdigit()]
        if not limits:
            yield warn("memory", "no limit", "set one, or the machine's other programs pay for a large query")
            return
        most, told = min(limits), f"at most {min(limits) / _GIB:.1f} GiB"
        if config is not None:
            queries = 0 if settings.role == "ingest" else config.limits.query_memory
            needed = _OWN_BYTES + config.limits.bodies_in_flight + config.limits.ingest_memory + queries
            if most < needed:
                mend = (
                    f"raise it, or lower limits.query_memory or limits.bodies_in_flight by {(needed - most) >> 20} MiB"
                )
                yield warn("memory", f"{told}; its own limits let it take {needed / _GIB:.1f} GiB", mend)
            else:
                yield ok("memory", f"{told}; its own limits let it take {needed / _GIB:.1f} GiB")
        killed = max((_numbers(text).get("oom_kill", 0) for text in self._values("memory.events")), default=0)
        if killed:
            yield warn("memory, killed", f"{killed} times for want of memory", "raise the limit, or see docs/limits.md")

    def _cpu(self) -> Iterator[Finding]:
        quotas = [text.split() for text in self._values("cpu.max")]
        cores = min((int(quota) / int(period) for quota, period in quotas if quota.isdigit()), default=None)
        counts = next((_numbers(text) for text in self._values("cpu.stat")), {})
        periods, held = counts.get("nr_periods", 0), counts.get("nr_throttled", 0)
        told = "no limit" if cores is None else f"{cores:g} cores"
        if cores is not None and cores < 1:
            yield warn("CPU", told, "give it one core at least: a start and queries take long with less")
        elif periods and held / periods > _THROTTLED_SHARE:
            yield warn("CPU", f"{told}; held back in {100 * held // periods} % of the time", "raise the limit")
        else:
            yield ok("CPU", told)

    def _values(self, name: str) -> Iterator[str]:
        """Contents of a file of the control group (version 2) and of those above it; the own one first."""
        line = next((line for line in _lines(self.root / "proc/self/cgroup") if line.startswith("0::")), "0::/")
        top = self.root / "sys/fs/cgroup"
        group = PurePosixPath(line.removeprefix("0::").lstrip("/"))
        for one in (group, *group.parents):
            if ".." not in one.parts and (text := _read(top / one / name)):
                yield text


def _numbers(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _lines(path: Path) -> list[str]:
    return _read(path).splitlines()


def _read(path: Path) -> str:
    """Stripped; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
