"""`cordwood dlq` against a server that is killed in the middle of a replay: every event is stored once."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from typing import Any

from .conftest import COMMAND

EVENTS = 4000
CONFIG = """
version: 1
sources:
  app: {type: http}
pipelines:
  web:
    from: [app]
    service: shop
    parse: [{type: regex, pattern: '^(?P<word>STEP) (?P<number>[0-9]+)$', types: {number: int}, on_error: dead_letter}]
"""


def dlq(server: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CORDWOOD_")}
    command = [str(COMMAND), "dlq", *arguments, "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_each_event_once_over_a_kill(make_server: Any) -> None:
    server = make_server(CONFIG.replace("STEP", "nothing"))
    server.start()
    for part in range(4):
        lines = [{"message": f"line {n}", "part": part} for n in range(part * 1000, part * 1000 + 1000)]
        assert server.post(lines) == (200, {"accepted": 1000})
    listed = dlq(server, "list", "-n", "2")
    assert [line.split()[-1] for line in listed.stdout.splitlines()[-2:]] == ["3999", "3998"], listed
    assert f"of {EVENTS} in all" in listed.stderr
    number = listed.stdout.splitlines()[-1].split()[0]
    assert json.loads(dlq(server, "show", number).stdout)["event"]["message"] == "line 3998"
    done = dlq(server, "replay", number)
    assert (done.returncode, done.stdout) == (1, "0 replayed, 1 failed again\n")
    assert "mend the pipeline" in done.stderr

    server.config.write_text(CONFIG.replace("STEP", "line"))
    server.kill()
    refused = dlq(server, "replay")
    assert refused.returncode == 3
    assert "needs a running server" in refused.stderr
    server.start()
    first = threading.Thread(target=dlq, args=(server, "replay"))
    first.start()
    give_up = time.monotonic() + 20
    while not server.query("| stats count() as n")[0]["n"] and time.monotonic() < give_up:
        time.sleep(0.01)
    server.kill()
    first.join()
    server.start()
    done = dlq(server, "replay")
    assert done.returncode == 0, done
    (row,) = server.query("word:line | stats count() as total, distinct_exact(number) as different")
    assert row == {"total": EVENTS, "different": EVENTS}
    assert server.query("from ingest_errors | stats count() as n") == [{"n": 0}]
    assert server.stop() == 0
