"""`cordwood doctor` as its page shows it, and what it says of a PostgreSQL that is set wrongly or whose disk fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ..bench.server import COMMAND
from ..storage.test_faults_clock import Clock
from .conftest import StartServer
from .postgres import PostgresServer

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code, and the last finding of each check."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")} | environment
    command = [str(COMMAND), "doctor", "--port", "0", "--format", "json", *arguments]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert answer["clean"] == (done.returncode == 0)
    page = PAGE.read_text()
    assert [f for f in answer["findings"] if f"`{f['check']}`" not in page and "plugin " not in f["check"]] == []
    return done.returncode, {finding["check"]: finding for finding in answer["findings"]}


def test_the_page_as_written(make_server: StartServer, tmp_path: Path) -> None:
    """Beside a running server, and without one."""
    server = make_server()
    server.start()
    assert server.post([{"message": f"m{n}"} for n in range(100)])[0] == 200
    (tmp_path / "data").symlink_to(server.data)
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for _ in ("beside it", "alone"):
        done = subprocess.run(
            ["sh", "-ec", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines, _, answer = done.stdout.partition("{")
        assert all(re.match(r"(ok|warn) +[^:]+: ", line) for line in lines.splitlines())
        assert "ok    segments: 1 with 100 events" in lines
        assert json.loads("{" + answer)["clean"]
        server.stop()


WRONG = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "zero_damaged_pages": "on",
    "ignore_checksum_failure": "on",
    "autovacuum": "off",
    "max_connections": "25",
    "max_wal_size": "64MB",
}


def test_a_postgresql_that_is_set_wrongly(data_dir: Path, make_server: StartServer) -> None:
    postgres = PostgresServer(data_dir / "postgres", **WRONG)
    postgres.start()
    try:
        environment = {"CORDWOOD_DATABASE_URL": postgres.url}
        server = make_server(environment=environment)
        server.start()
        assert server.post([{"message": "m"}])[0] == 200
        code, found = doctor("--data-dir", str(server.data), **environment)
        assert code == 1
        failing = {"fsync", "full_page_writes", "synchronous_commit", "zero_damaged_pages", "ignore_checksum_failure"}
        for check in WRONG:
            assert found[check]["level"] == ("fail" if check in failing else "warn"), found[check]
            assert found[check]["mend"]
        assert found["segments"]["level"] == "ok"
        server.stop()

        postgres.sql("alter database postgres set default_transaction_read_only = on")
        assert doctor("--data-dir", str(server.data), **environment)[1]["writable"]["found"] == "it is read-only"
        postgres.sql(
            "set default_transaction_read_only = off", "alter database postgres reset default_transaction_read_only"
        )
        with tempfile.TemporaryDirectory() as folder:
            ahead = Clock(Path(folder))
            ahead.set(7200)
            clock = doctor("--data-dir", str(server.data), **environment, **ahead.environment)[1]["clock"]
        assert (clock["level"], "NTP" in clock["mend"]) == ("fail", True)
        found = re.search(r"differs by (-7\d{3}(?:\.\d+)?) s", clock["found"])
        assert found, clock["found"]
        assert abs(float(found[1]) + 7200) < 30  # that long the answer was under way at most
        postgres.sql("update cordwood.alembic_version set version_num = '9999'")
        schema = doctor("--data-dir", str(server.data), **environment)[1]["schema"]
        assert (schema["level"], "newer" in schema["mend"]) == ("fail", True)
    finally:
        postgres.stop()


def test_a_disk_that_fails_under_postgresql(make_server: StartServer, postgres: PostgresServer) -> None:
    """PostgreSQL cannot read a segment any more: the others are found to be well, and queries go on without it."""
    environment = {"CORDWOOD_DATABASE_URL": postgres.url}
    server = make_server(environment=environment)
    server.start()
    for n in range(3):
        assert server.post([{"message": f"{n} {i}" + os.urandom(3000).hex(), "n": n} for i in range(5)])[0] == 200
    server.kill()
    (row,) = postgres.sql(
        "checkpoint",
        "select pg_relation_filepath(reltoastrelid) as path from pg_class where relname = 'segment_file_1'",
    )
    postgres.stop()
    pages = postgres._data / row["path"]
    with pages.open("r+b") as file:
        file.write(os.urandom(8192))  # of the first segment's
    postgres.start()
    code, found = doctor("--data-dir", str(server.data), **environment)
    assert code == 1
    assert "PostgreSQL cannot read its bytes: invalid page in block 0" in found["segments"]["found"]
    assert "5 events" in found["segments"]["where"]
    for file in (server.data / "cache").rglob("*.parquet"):
        file.unlink()
    server.start()
    body = json.dumps({"query": "n>=0 | stats count() as events by n"}).encode()
    status, answer, _ = server.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
    assert status == 200
    result = json.loads(answer)
    assert sorted(result["rows"]) == [[1, 5], [2, 5]]
    assert not result["complete"]
    assert "5 events are missing in this answer" in result["warnings"][0]
