"""`cordwood tap` and `cordwood top` against a server that runs."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import Any

from ..conftest import CORDWOOD, ROOT

CONFIG = """
version: 1
sources: {web: {type: http}}
pipelines:
  main:
    from: [web]
    parse: [logfmt, {type: route, branches: [{when: "user:bob", parse: [drop]}], else: []}]
"""


def test_tap_and_top_of_a_running_server(make_server: Any, cordwood: Any) -> None:
    server = make_server(CONFIG)
    server.start()
    environment = server.environment | {"CORDWOOD_URL": server.url}
    command = [str(CORDWOOD), "tap", str(server.config), "logfmt", "--query", "level:warn", "--format", "ndjson"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as tap:
        try:
            deadline = time.monotonic() + 60
            # Until it watches nothing is kept for it, so events are sent until it has seen one.
            reader = tap.stdout
            assert reader is not None
            seen: list[str] = []
            threading.Thread(target=lambda: seen.append(reader.readline()), daemon=True).start()
            while not seen and time.monotonic() < deadline:
                server.post(b"level=warn user=ann\nlevel=info user=bob\n", Content_Type="text/plain")
                time.sleep(0.2)
            assert seen, "the tap saw nothing"
            answer = json.loads(seen[0])
            assert answer["user"] == "ann"
        finally:
            tap.terminate()
    top = cordwood("top", "--every", "0.3", env={"CORDWOOD_URL": server.url})
    assert top.code == 0, top.err
    lines = [line.split("\t") for line in top.out.splitlines()]
    assert lines[0] == ["what", "state", "events/s", "events", "failed", "note"]
    found = {line[0]: line for line in lines[1:]}
    steps = ["main.1 logfmt", "main.2 route", "main.2.1 when user:bob", "main.2.1.1 drop", "main.2.2 else"]
    assert list(found) == ["source web", *steps, "store"]
    posted = int(found["main.2.1.1 drop"][3])
    assert posted >= 1
    assert found["main.2.1.1 drop"][5].startswith(f"{posted} left out")
    assert [int(found[name][3]) for name in steps] == [2 * posted, 2 * posted, posted, posted, posted]
