"""`cordwood storage` as `docs/places.md` shows it, beside a running server, without one, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from cordwood.config import load
from cordwood.plugins import load_plugins

from ..objectstore import KEYS, Bucket

PAGE = (Path(__file__).parents[2] / "docs" / "places.md").read_text()


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CORDWOOD_", "AWS_"))} | more
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def shown(text: str) -> dict[str, list[str]]:
    """The rows of `storage show` by place: segments, events, bytes, state."""
    assert text.splitlines()[0] == "place\tsegments\tevents\tbytes\tstate"
    return {row[0]: row[1:] for row in (line.split("\t") for line in text.splitlines()[1:])}


def merged(server: Any, events: int) -> None:
    """Send events of ten days in sixteen commits, and wait until all are in merged segments, one for each day."""
    lines = [{"message": f"m{n}", "n": n, "timestamp": f"2026-02-{n % 10 + 1:02}T00:00:00Z"} for n in range(events)]
    for start in range(0, events, events // 16):
        assert server.post(lines[start : start + events // 16])[0] == 200
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if json.loads(server.call("GET", "/api/v1/status")[1])["segments"]["count"] == 10:
            return
        time.sleep(0.1)
    raise AssertionError("nothing was merged")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_files_of_the_page(block: str, tmp_path: Path) -> None:
    path = tmp_path / "cordwood.yaml"
    path.write_text(block)
    config = load(path, load_plugins(), environment={"S3_KEY_ID": "a", "S3_KEY": "b"})
    assert config.place in config.places
    assert config.place == yaml.safe_load(block)["store"]["place"] or config.place in ("folder", "s3")


def test_the_commands_of_the_page_beside_a_server(make_server: Any, data_dir: Path, tmp_path: Path) -> None:
    place = data_dir / "segments"
    server = make_server(config=f"store: {{place: {{type: folder, path: {place}}}}}\n")
    server.start()
    merged(server, 320)
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    done = run(tmp_path, "sh", "-ec", block, CORDWOOD_DATA_DIR=str(data_dir))
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.index("moved 0 segments"), done.stdout.rindex("place\t")
    first, last = shown(done.stdout[:before]), shown(done.stdout[after:])
    assert first["folder"][:2] == ["10", "320"]
    assert first["folder"][3] == "ok, new segments go here"
    assert first["postgresql"][:2] == ["0", "0"]
    assert re.search(r"moved 10 segments, \d+ bytes, to postgresql\n", done.stdout)
    assert "note: what is merged from now on goes to folder" in done.stderr
    assert last["postgresql"][:2] == ["10", "320"]
    assert last["folder"][:2] == ["0", "0"]
    assert server.query("* | stats sum(n) as s") == [{"s": sum(range(320))}]
    wrong = run(tmp_path, "cordwood", "storage", "move", "--to", "foldr", CORDWOOD_DATA_DIR=str(data_dir))
    assert wrong.returncode == 1
    assert "there is no place named foldr; there are folder, postgresql" in wrong.stderr


def test_a_place_that_the_server_learns_of_later(
    make_server: Any, data_dir: Path, tmp_path: Path, bucket: Bucket
) -> None:
    """Keys come from the environment; only the section `store:` of the file matters to commands."""
    aws = {"AWS_ACCESS_KEY_ID": KEYS["access_key_id"], "AWS_SECRET_ACCESS_KEY": KEYS["secret_access_key"]}
    server = make_server(config="store: {place: postgresql}\n", environment=aws)
    server.start()
    merged(server, 320)
    store = f"store: {{place: {{type: s3, bucket: {bucket.name}, endpoint: '{bucket.url}', prefix: a/b}}}}\n"
    (tmp_path / "new.yaml").write_text(f"{store}notifiers: {{n: {{type: webhook, url: '${{NOT_SET}}'}}}}\n")
    here = {"CORDWOOD_DATA_DIR": str(data_dir)}
    moved = run(tmp_path, "cordwood", "storage", "move", "--config", "new.yaml", **here, **aws)
    assert moved.returncode == 0, moved.stderr
    assert moved.stdout.startswith("moved 10 segments, ")
    assert len(bucket.keys()) == 10
    assert all(key.startswith("a/b/") for key in bucket.keys())  # noqa: SIM118
    assert KEYS["secret_access_key"] not in moved.stdout + moved.stderr

    lost = run(tmp_path, "cordwood", "backup", "b", **here)
    assert lost.returncode == 1
    assert "in the place s3, which is not configured: add it under store.places" in lost.stderr
    made = run(tmp_path, "cordwood", "backup", "b", CORDWOOD_CONFIG=str(tmp_path / "new.yaml"), **here, **aws)
    assert made.stdout.startswith("backed up 320 events in 10 segments"), made.stderr

    for path in data_dir.glob("cache/*/*.parquet"):
        path.unlink()
    lacking = answer(server)
    assert not lacking["complete"]
    (warning,) = lacking["warnings"]
    assert warning.startswith("320 events are missing in this answer: 10 segments, from 2026-02-01T")
    assert warning.endswith("in the place s3, which is not configured: add it under store.places")
    server.config.write_text(store)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while not (found := answer(server))["complete"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    assert found["rows"] == [[sum(range(320))]]


def answer(server: Any) -> dict[str, Any]:
    body = json.dumps({"query": "* | stats sum(n) as s"}).encode()
    status, text = server.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
    assert status == 200
    found: dict[str, Any] = json.loads(text)
    return found
