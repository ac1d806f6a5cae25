"""Keeps a release as `REVISION.tar.xz`, for `test_two_releases.py`: `python tests/soak/releases/make.py COMMIT`.

Done once a release, for the commit that was released; the archive of the one before goes. Kept as a file, since a clone
may have no history, and a package index no old release.
"""

from __future__ import annotations

import io
import lzma
import re
import subprocess
import sys
import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent
LEFT_OUT = re.compile(r"(docs|tests|web/ui|infra/(docker|kubernetes|grafana|prometheus)|\.[^/]*)(/|$)|.*\.lock$")
MIGRATION = re.compile(r"core/storage/migrations/versions/(\d+)_\w+\.py")


def main(commit: str) -> None:
    archived = subprocess.run(["git", "archive", commit], stdout=subprocess.PIPE, check=True, cwd=FOLDER.parents[2])
    revision, made = "", io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as all_of_it, tarfile.open(fileobj=made, mode="w") as kept:
        for member in all_of_it:
            if member.isfile() and not LEFT_OUT.match(member.name):
                kept.addfile(member, all_of_it.extractfile(member))
                revision = max(revision, found[1] if (found := MIGRATION.fullmatch(member.name)) else "")
    (FOLDER / f"{revision}.tar.xz").write_bytes(lzma.compress(made.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(sys.argv[1])
