"""`cordwood up --demo` with the real server: an hour of the past at once, then the present, and no hour twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from ..bench.server import Server


def wait_for(server: Server, at_least: int) -> int:
    for _ in range(300):
        if (found := server.count()) >= at_least:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{found} events where {at_least} were expected: {server.last_words()}")


def test_an_empty_store_gets_an_hour_and_then_the_present(data_dir: Path) -> None:
    server = Server(data_dir, arguments=["--demo"])
    with server:
        past = wait_for(server, 8_000)
        services = {row["service"] for row in server.query("| stats count() as n by service")}
        assert services >= {"web", "checkout", "payment", "inventory", "worker", "sensors"}
        (span,) = server.query("| stats min(timestamp) as first, max(timestamp) as last")
        assert span["first"] < span["last"]
        assert server.count("service:payment severity:error ProviderUnavailable") > 50
        traces = server.query("trace_id:* | stats distinct_exact(service) as n by trace_id | sort -n | limit 1")
        assert traces[0]["n"] == 4
        now = wait_for(server, past + 50)
        assert server.count("parse_error:*") == 0

    with server:
        wait_for(server, now + 50)
        assert server.count() < now + 5_000, "the past hour came a second time"


def test_as_a_process_of_their_own_with_a_token(data_dir: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    command = [sys.executable, "-m", "cordwood.infra.samples", "--token-file", str(token)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert f"{token} cannot be read" in refused.stderr
    token.write_text("any\n")
    server = Server(data_dir)
    with server:
        process = subprocess.Popen([*command, "--url", server.url])
        try:
            wait_for(server, 1_000)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
