"""Real logs by every way in: posted as NDJSON, ingested raw, followed while they are rotated. No line is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CORDWOOD, Server

SYSTEMS = ("Android", "Apache", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Zookeeper")
WORDS = r"(?P<first>\S+)\s+(?P<second>\S+)\s+(?P<message>.*)"


def lines_of(path: Path) -> list[bytes]:
    """As an editor counts them: a last line without a line feed is a line."""
    return path.read_bytes().splitlines()


def counted(server: Server, prefix: str) -> dict[str, int]:
    """What `cordwood query` says, by system."""
    done = subprocess.run(
        [CORDWOOD, "query", f"service:{prefix}-* | stats count() as n by service", "--format", "json"],
        env=os.environ | {"CORDWOOD_URL": server.url},
        capture_output=True,
        text=True,
        check=True,
    )
    return {row["service"].partition("-")[2]: row["n"] for row in json.loads(done.stdout)}


@pytest.fixture
def expected(loghub: Path) -> dict[str, int]:
    return {system: len(lines_of(loghub / system / f"{system}_2k.log")) for system in SYSTEMS}


def test_posted_as_ndjson(server: Server, loghub: Path, expected: dict[str, int], tmp_path: Path) -> None:
    for system in SYSTEMS:
        body = tmp_path / f"{system}.ndjson"
        lines = lines_of(loghub / system / f"{system}_2k.log")
        body.write_bytes(
            b"".join(json.dumps({"message": line.decode(errors="replace")}).encode() + b"\n" for line in lines)
        )
        url = f"{server.url}/api/v1/logs?service=post-{system}"
        curl = ["curl", "--silent", "--fail", "--data-binary", f"@{body}", url]
        answer = json.loads(subprocess.run(curl, check=True, capture_output=True).stdout)
        assert answer == {"accepted": expected[system]}
    assert counted(server, "post") == expected


def test_ingested_raw(server: Server, loghub: Path, expected: dict[str, int]) -> None:
    for system in SYSTEMS:
        options = ["--service", f"raw-{system}", "--parser", "regex", "--set", f"pattern={WORDS}"]
        subprocess.run(
            [CORDWOOD, "ingest", loghub / system / f"{system}_2k.log", *options],
            env=os.environ | {"CORDWOOD_URL": server.url},
            check=True,
            capture_output=True,
        )
    assert counted(server, "raw") == expected
    (row,) = server.query("service:raw-HDFS first:081109 | stats count() as n, distinct_exact(second) as clocks")
    assert row["n"] > 0
    assert row["clocks"] > 1


def test_followed_while_rotated(
    make_server: Callable[..., Server], loghub: Path, expected: dict[str, int], tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    sources = {s: {"type": "file", "include": [f"{tmp_path}/{s}.log", f"{tmp_path}/{s}.log.*"]} for s in SYSTEMS}
    pipelines = {system: {"from": [system], "service": f"file-{system}"} for system in SYSTEMS}
    server = make_server(config=json.dumps({"version": 1, "sources": sources, "pipelines": pipelines}))
    server.start()
    rounds = 4
    for round_ in range(rounds):
        for system in SYSTEMS:
            live = tmp_path / f"{system}.log"
            if round_ and round_ % 2:
                live.rename(tmp_path / f"{system}.log.{round_}")
            elif round_:
                settle(server, system)  # nothing may be written between a copy and its truncation, or it is lost there
                shutil.copyfile(live, tmp_path / f"{system}.log.{round_}")
                os.truncate(live, 0)
            lines = lines_of(loghub / system / f"{system}_2k.log")
            quarter = lines[round_ * len(lines) // rounds : (round_ + 1) * len(lines) // rounds]
            with live.open("ab") as file:
                file.writelines(line + b"\n" for line in quarter)
        time.sleep(0.5)
    deadline = time.monotonic() + 60
    while counted(server, "file") != expected and time.monotonic() < deadline:
        time.sleep(0.5)
    assert counted(server, "file") == expected


def settle(server: Server, system: str) -> None:
    """Wait until no more lines of the system arrive."""
    before = -1
    while (now := counted(server, "file").get(system, 0)) != before:
        before = now
        time.sleep(0.7)
