"""Runs the real `cordwood` command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@pytest.fixture
def cordwood(data_dir: Path) -> Callable[..., Done]:
    """`cordwood("query", "x", env={…}, stdin="…")`; the environment has no CORDWOOD_ variable but the data folder."""

    def run(*arguments: str, env: dict[str, str] | None = None, stdin: str | bytes = b"", timeout: float = 60) -> Done:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")}
        environment |= {"CORDWOOD_DATA_DIR": str(data_dir), "COLUMNS": "200"} | (env or {})
        body = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [str(COMMAND), *arguments], input=body, capture_output=True, env=environment, timeout=timeout, check=False
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
