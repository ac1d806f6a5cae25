"""Events of several lines in a file, while the server and its PostgreSQL are killed between their lines."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

LINES = 4  # of an event


def written(number: int) -> list[str]:
    return [f"{number:06d} not saved", *(f"  at step {n} of {number:06d}" for n in range(1, LINES))]


class Program:
    """Writes events line by line, so that reads end in the middle of them."""

    def __init__(self, log: Path) -> None:
        self.log, self.count = log, 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        chance = random.Random(5)
        with self.log.open("a", buffering=1) as log:
            while not self.done.is_set():
                for _ in range(chance.randint(1, 60)):
                    for line in written(self.count):
                        log.write(line + "\n")
                        if chance.random() < 0.02:
                            time.sleep(0.03)
                    self.count += 1
                time.sleep(0.02)


def test_every_event_once_and_whole_over_kills(make_server: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    config = f"""
version: 1
sources:
  app: {{type: file, include: ["{tmp_path}/app.log"], host: box, poll: 20ms}}
pipelines:
  app:
    from: [app]
    service: app
    parse:
      - {{type: multiline, continues: '^ ', timeout: 20s}}
      - {{type: regex, pattern: '^(?P<n>\\d+) (?P<msg>(?s:.*))$', types: {{n: int}}}}
"""
    server = make_server(config)
    program = Program(tmp_path / "app.log")
    program.thread.start()
    try:
        server.start()
        for pause in (1.0, 0.5, 1.5):
            time.sleep(pause)
            server.kill()
            server.start()
        time.sleep(1)
    finally:
        program.done.set()
        program.thread.join()
    assert program.count > 50
    deadline = time.monotonic() + 90
    total = 0
    while total < program.count and time.monotonic() < deadline:
        time.sleep(0.3)
        total = server.query("service:app | stats count() as n")[0]["n"]
    rows = server.query("service:app | sort n | limit 100000")
    assert [row["n"] for row in rows] == list(range(program.count))
    wrong = [row for row in rows if row["message"] != "\n".join(written(row["n"]))[7:]]
    assert not wrong, wrong[:3]
    assert server.stop() == 0
