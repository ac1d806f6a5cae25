"""`cordwood up` as users start it: ready, refused, reloaded, stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "cordwood"


SELDOM_USED = {
    "aiohttp",
    "alembic",
    "boto3",
    "grpc",
    "httpx",
    "markdown_it",
    "pandas.core",  # pandas itself is looked for in vain: see `leave_pandas_out`
    "rich",
    "scipy",
    "sklearn",
    "slack_sdk",
}
SELDOM_USED |= {"sqlalchemy", "twilio", "weasyprint"}


def start(data_dir, *arguments, env=None, stderr=subprocess.PIPE):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")} | (env or {})
    return subprocess.Popen(
        [str(COMMAND), "up", "--data-dir", str(data_dir), "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment,
        text=True,
    )


def ended(process, within):
    """(exit code, standard output, standard error) of a process that ends by itself."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def test_ready_line_and_an_orderly_stop(data_dir):
    process = start(data_dir)
    ready = process.stdout.readline()
    assert ready.startswith("Cordwood is ready: http://127.0.0.1:")
    announced = json.loads((data_dir / "server.json").read_text())
    assert announced["url"] == ready.split()[-1]
    assert announced["pid"] == process.pid
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process, 15)
    assert (code, out) == (0, "")
    assert time.monotonic() - began < 10
    assert "Traceback" not in err
    assert not (data_dir / "server.json").exists()


def ready(url):
    """The status of /readyz."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as why:
        with why:
            return why.code


@pytest.mark.usefixtures("store")
def test_a_stop_that_drains_serves_on_and_says_that_it_is_not_ready(data_dir):
    process = start(data_dir, env={"CORDWOOD_DRAIN_SECONDS": "300"})
    url = process.stdout.readline().split()[-1]
    assert ready(url) == 200
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 30
    while ready(url) != 503 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ready(url) == 503
    body = b'{"message": "while it drains"}'
    request = urllib.request.Request(f"{url}/api/v1/logs", body, {"Content-Type": "application/x-ndjson"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read()) == {"accepted": 1}
    process.send_signal(signal.SIGTERM)  # asked again, it stops at once
    code, _, err = ended(process, 30)
    assert code == 0
    assert "Traceback" not in err


def test_a_stop_during_the_start_is_orderly_too(data_dir):
    process = start(data_dir)
    deadline = time.monotonic() + 30
    while not (data_dir / "postgres").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process, 15)
    assert (code, out) == (0, "")
    assert "Traceback" not in err


def test_a_data_folder_and_a_port_that_are_taken(server):
    code, out, err = ended(start(server.data_dir), 30)
    assert (code, out) == (1, "")
    assert "is in use by process" in err
    assert "Traceback" not in err
    code, out, err = ended(start(server.data_dir, "--port", str(server.port)), 30)
    assert (code, out) == (1, "")
    assert f"port {server.port} cannot be used: Address already in use" in err


@pytest.mark.usefixtures("store")
def test_others_can_reach_it_only_once_there_is_an_administrator(data_dir, cordwood):
    code, out, err = ended(start(data_dir, "--host", "0.0.0.0"), 60)
    assert (code, out) == (1, "")
    assert "cordwood user add --admin" in err
    assert "CORDWOOD_ADMIN_EMAIL" in err
    assert "Traceback" not in err

    added = cordwood("user", "add", "--admin", "ann@example.org", "--password-stdin", stdin="correct horse\n")
    assert (added.code, added.out) == (0, "added administrator ann@example.org\n")
    process = start(data_dir, "--host", "0.0.0.0", "--demo")
    try:
        assert process.stdout.readline().startswith("Cordwood is ready: http://127.0.0.1:")
        refused = cordwood("query", "")
        assert refused.code == 1
        assert "CORDWOOD_TOKEN" in refused.err
        made = cordwood("token", "create", "tests", "--scope", "query", "--valid-for", "1d")
        assert made.code == 0
        token = {"CORDWOOD_TOKEN": made.out.strip()}
        assert cordwood("query", "| stats count() as n", env=token).code == 0
        assert "forbidden" not in (lacking := cordwood("ingest", "-", env=token, stdin="x\n")).err
        assert (lacking.code, "permission ingest" in lacking.err) == (1, True)
        listed = cordwood("token", "list").lines
        assert any("\ttests\tdefault\tquery\tactive\t" in line for line in listed)
        assert any("\tsample applications\tdefault\tingest,query\tactive\t" in line for line in listed)
        users = cordwood("user", "list").lines
        assert any(line.startswith("ann@example.org\tadmin\tdefault\tactive\t") for line in users)
        number = next(line.split("\t")[0] for line in listed if "\ttests\t" in line)
        assert cordwood("token", "revoke", number).out == f"revoked token {number}\n"
        assert cordwood("user", "disable", "bob@example.org").code == 1
    finally:
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process, 15)
    assert code == 0
    assert "Traceback" not in err


@pytest.mark.usefixtures("store")
def test_the_first_administrator_from_the_environment(data_dir):
    environment = {"CORDWOOD_ADMIN_EMAIL": "ann@example.org", "CORDWOOD_ADMIN_PASSWORD": "correct horse"}
    process = start(data_dir, "--host", "0.0.0.0", env=environment)
    assert process.stdout.readline().startswith("Cordwood is ready: ")
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process, 15)
    assert code == 0
    assert "correct horse" not in err


@pytest.mark.parametrize("options", [(), ("--watch",)], ids=["SIGHUP", "watch"])
def test_the_file_is_read_again_and_the_old_one_stays_if_it_is_wrong(make_server, options):
    server = make_server(config="pipelines: {default: {service: before}}\n")
    server.start(*options)

    def service_of(message):
        assert server.post([{"message": message}])[0] == 200
        return server.query(f'"{message}" | fields service')[0]["service"]

    def reload(text):
        server.config.write_text(text)
        if not options:
            server.process.send_signal(signal.SIGHUP)

    def eventually(prefix, service):
        deadline = time.monotonic() + 15
        number = 0
        while service_of(f"{prefix}-{number}") != service:
            assert time.monotonic() < deadline
            number += 1
            time.sleep(0.1)

    assert service_of("one") == "before"
    reload("pipelines: {default: {service: after}}\n")
    eventually("two", "after")
    reload("pipelines: {default: {servce: wrong}}\n")
    deadline = time.monotonic() + 15
    while "did you mean service?" not in server.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert service_of("three") == "after"


def test_watch_without_a_file_is_refused(cordwood):
    done = cordwood("up", "--watch")
    assert done.code == 1
    assert "there is no pipeline file to watch" in done.err


@pytest.mark.anyio
async def test_a_start_imports_nothing_that_is_seldom_used(database_url, data_dir):
    """Each costs every start a tenth of a second or more, and memory for ever; the schema is this release's already."""
    environment = {"CORDWOOD_DATABASE_URL": database_url, "PYTHONPROFILEIMPORTTIME": "1"}
    with (data_dir / "imports").open("w") as imports:
        process = start(data_dir / "new", env=environment, stderr=imports)
        assert process.stdout.readline().startswith("Cordwood is ready: ")
        process.send_signal(signal.SIGTERM)
        assert ended(process, 15)[0] == 0
    imported = set(re.findall(r"\| +([\w.]+)", (data_dir / "imports").read_text()))
    assert {"cordwood", "duckdb", "polars"} <= imported
    assert imported & SELDOM_USED == set()


@pytest.mark.anyio
@pytest.mark.usefixtures("flushing")
async def test_on_a_database_elsewhere(database_url, data_dir, cordwood):
    environment = {"CORDWOOD_DATABASE_URL": database_url}
    process = start(data_dir / "new", env=environment)
    assert process.stdout.readline().startswith("Cordwood is ready: ")
    assert not (data_dir / "new" / "postgres").exists()
    assert cordwood("ingest", "-", "--data-dir", str(data_dir / "new"), stdin="a line\n").code == 0
    process.send_signal(signal.SIGTERM)
    assert ended(process, 15)[0] == 0
    assert cordwood("query", "| stats count() as n", env=environment).lines == ["n", "1"]
    added = cordwood("user", "add", "a@b.c", "--password-stdin", env=environment, stdin="correct horse\n")
    assert (added.code, added.out) == (0, "added viewer a@b.c\n")
    health = cordwood("doctor", "--port", "0", env=environment)
    assert health.code == 0, health.out
    assert any(line.startswith("ok    schema: revision") for line in health.lines)


@pytest.mark.usefixtures("store")
def test_a_second_interrupt_quits_at_once(data_dir):
    process = start(data_dir)
    url = process.stdout.readline().split()[-1]
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as tail:  # a live tail holds an orderly stop up
        tail.sendall(b"GET /api/v1/tail HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        assert b"200" in tail.recv(100)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        code, _, _ = ended(process, 10)
    assert code in (0, 130)
    assert time.monotonic() - began < 2
