"""Runs the real `cordwood` command as a process of its own, and one server for many tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..conftest import data_folder, furnish

COMMAND = Path(sys.executable).parent / "cordwood"


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Cordwood:
    """`cordwood("query", "x", env={…}, stdin="…")`; the environment has no CORDWOOD_ variable but the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")}
        return plain | {"CORDWOOD_DATA_DIR": str(self.data_dir), "COLUMNS": "200"} | (more or {})

    def __call__(
        self, *arguments: str, env: dict[str, str] | None = None, stdin: str | bytes = b"", timeout: float = 60
    ) -> Done:
        done = subprocess.run(
            [str(COMMAND), *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env=self.environment(env),
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """The command, running."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [str(COMMAND), *arguments], stdout=pipe, stderr=pipe, env=self.environment(env), text=True
        )


@pytest.fixture
def cordwood(data_dir: Path) -> Cordwood:
    """The command, with an empty data folder."""
    return Cordwood(data_dir)


@pytest.fixture
def store(data_dir: Path, cluster: Path) -> None:
    """The data folder holds a store, with nothing in it: a first start would make it in two seconds of CPU."""
    furnish(data_dir, cluster)


class Running(Cordwood):
    """The command, with a data folder that a server runs on."""

    url = ""

    def query(self, text: str) -> list[dict[str, Any]]:
        """The rows as the API answers them."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/query", json.dumps({"query": text}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]

    def post(self, events: list[dict[str, Any]]) -> None:
        """Send events."""
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1/logs", body)) as answer:
            assert json.load(answer) == {"accepted": len(events)}


@pytest.fixture(scope="module")
def running(cluster: Path) -> Iterator[Running]:
    """One server for the tests of a module; each uses a service of its own."""
    with data_folder() as folder:
        furnish(folder, cluster)
        made = Running(folder)
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [str(COMMAND), "up", "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=made.environment(),
                text=True,
            )
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, (folder / "log").read_text()
        made.url = ready.split()[-1]
        yield made
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()
