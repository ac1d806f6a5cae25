"""The page for newcomers, step by step with its own words, against a server of its own and a webhook that listens."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..conftest import free_port
from .conftest import COMMAND, Cordwood

PAGE = (Path(__file__).parents[2] / "docs" / "get-started.md").read_text()
(HOOK,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CHECKED, ASKED, BACKTEST = (block.splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))


def eventually(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The page's webhook: its address, and the file with what it has printed."""
    port, printed = str(free_port()), tmp_path / "printed"
    assert "9000" in HOOK
    (tmp_path / "hook.py").write_text(HOOK.replace("9000", port))
    with printed.open("w") as out:
        process = subprocess.Popen([sys.executable, tmp_path / "hook.py"], stdout=out, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}", printed
    process.kill()
    process.wait()


def test_from_nothing_to_an_alert(make_server: Any, data_dir: Path, tmp_path: Path, hook: tuple[str, Path]) -> None:
    address, printed = hook
    log = tmp_path / "access.log"
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    text = text.replace("/var/log/nginx/access.log", str(log)).replace("http://127.0.0.1:9000", address)
    (tmp_path / "web.yaml").write_text(text)
    now = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    log.write_text(
        "".join(
            f'10.0.0.7 - - [{now}] "GET /{path} HTTP/1.1" {status} 157 "-" "curl/8.5"\n'
            for path, status in [("cart", 502)] * 30 + [("", 200)] * 50
        )
    )
    cordwood = Cordwood(data_dir)

    def run(line: str, *, said: str = "") -> str:
        words = [str(tmp_path / word) if word == "web.yaml" else word for word in shlex.split(line)]
        assert words.pop(0) == COMMAND.name
        done = cordwood(*words)
        assert (done.code, bool(done.err)) == (0, bool(said)), line
        assert said in done.err
        return done.out

    *before, up = CHECKED
    assert "is right" in run(before[0])
    assert "1 test" in run(before[1])
    assert up == "cordwood up web.yaml --watch"
    make_server(text).start("--watch")
    eventually(lambda: run(ASKED[0]).splitlines() == ["status\trequests", "200\t50", "502\t30"])
    assert run(ASKED[1]).splitlines()[1].startswith("/cart")
    eventually(lambda: "\n" in printed.read_text())
    posted = json.loads(printed.read_text().splitlines()[0])
    assert posted["detector"] == "server_errors"
    assert posted["link"].endswith("/alerts/incidents/1")
    run(BACKTEST[0], said="0 incidents, 0 a week, in 360 windows")
