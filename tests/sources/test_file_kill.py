"""Files followed by a real server that is killed, with its PostgreSQL, while lines are written and files rotated."""

import gzip
import random
import threading
import time
from pathlib import Path
from typing import Any

LINE = "{n:07d} something happened to item {n}\n"


class Program:
    """Writes numbered lines, ever more of them, and rotates its file as logrotate does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "app.log"
        self.count = self.rotations = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        chance = random.Random(3)
        while not self.done.is_set():
            with self.log.open("a") as log:
                for _ in range(chance.randint(1, 400)):
                    log.write(LINE.format(n=self.count))
                    self.count += 1
            if chance.random() < 0.05:
                self.rotate()
            time.sleep(0.02)

    def rotate(self) -> None:
        for number in range(self.rotations, 1, -1):
            old = self.folder / f"app.log.{number}.gz"
            old.rename(self.folder / f"app.log.{number + 1}.gz")
        first = self.folder / "app.log.1"
        if first.exists():
            (self.folder / "app.log.2.gz").write_bytes(gzip.compress(first.read_bytes(), 1))
            first.unlink()
        self.log.rename(first)
        self.rotations += 1


def test_every_line_once_over_kills(make_server: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    config = f"""
version: 1
sources:
  app: {{type: file, include: ["{tmp_path}/app.log*"], host: box}}
pipelines:
  app:
    from: [app]
    service: app
    parse: [{{type: regex, pattern: '^(?P<n>\\d+) (?P<msg>.*)$', types: {{n: int}}}}]
"""
    server = make_server(config)
    program = Program(tmp_path)
    program.thread.start()
    try:
        server.start()
        for pause in (1.0, 0.4, 1.7):
            time.sleep(pause)
            server.kill()
            server.start()
        time.sleep(1)
    finally:
        program.done.set()
        program.thread.join()
    assert program.rotations > 2
    total = 0
    deadline = time.monotonic() + 60
    while total < program.count and time.monotonic() < deadline:
        time.sleep(0.3)
        total = server.query("service:app | stats count() as n")[0]["n"]
    time.sleep(6)  # a file that was compressed is settled when its original has been gone for five seconds
    (row,) = server.query("service:app | stats count() as total, distinct_exact(n) as different, max(n) as last")
    assert row == {"total": program.count, "different": program.count, "last": program.count - 1}
    assert server.stop() == 0
