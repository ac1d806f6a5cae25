"""`backup` and `restore` as `docs/backup.md` shows them, beside a running server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "backup.md"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_page_as_written(server: Any, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(data_dir)
    body = b"".join(b'{"message": "m%d"}\n' % i for i in range(500))
    request = urllib.request.Request(
        f"{server.url}/api/v1/logs", body, {"Content-Type": "application/x-ndjson"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = run(tmp_path, "sh", "-ec", block)
    assert done.returncode == 0, done.stderr
    backed_up, whole, restored, name, count = done.stdout.splitlines()
    assert re.fullmatch(r"backed up 500 events in \d+ segments to monday.cordwood, \d+ bytes", backed_up)
    assert whole.startswith("monday.cordwood is whole: 500 events")
    assert restored.startswith("monday.cordwood restored: 500 events")
    assert (name, count) == ("n", "500")
    again = run(tmp_path, "cordwood", "backup", "monday.cordwood", "--data-dir", "data")
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    full = run(tmp_path, "cordwood", "restore", "monday.cordwood", "--data-dir", "fresh")
    assert (full.returncode, "not empty" in full.stderr) == (1, True)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    done = run(tmp_path, "cordwood", "restore", "f", "--data-dir", "fresh")
    assert done.returncode == 1
    assert "backup" in done.stderr or "not whole" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "fresh").exists()
