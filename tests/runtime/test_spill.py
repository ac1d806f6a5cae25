"""What queries put on disk goes with the process, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from cordwood.core.runtime.spill import spill_folder

KILLED = """
import sys, time
from pathlib import Path
from cordwood.core.runtime.spill import spill_folder
with spill_folder(Path(sys.argv[1])) as folder:
    (folder / "duckdb_temp").write_text("secret")
    print(folder.name, flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_nothing_for_long(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    name = killed.stdout.readline().strip()
    (tmp_path / "duckdb_temp_of_old").write_text("secret")
    with spill_folder(tmp_path) as own:
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {name, own.name}
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        killed.stdout.close()
        with spill_folder(tmp_path) as third:
            assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {own.name, third.name}
    assert list(tmp_path.iterdir()) == []
