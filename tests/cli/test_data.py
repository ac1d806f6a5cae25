"""`ingest`, `query` and `tail` against a server, and against a store that no server runs on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "cordwood"
EVENTS = [
    {"timestamp": f"2026-01-31T12:00:0{i}Z", "severity": s, "service": "shop", "message": f"m{i}", "n": i}
    for i, s in enumerate(["INFO", "ERROR", "INFO"])
]


def ndjson(events):
    return "".join(json.dumps(event) + "\n" for event in events)


def test_ingest_and_query_in_every_format(server, cordwood):
    done = cordwood("ingest", "-", stdin=ndjson(EVENTS))
    assert (done.code, done.out) == (0, "3 events accepted of 3 lines\n")
    lines = cordwood("query", "").lines
    assert [line.split(" ")[1:4] for line in lines] == [
        ["INFO", "shop", "m2"],
        ["ERROR", "shop", "m1"],
        ["INFO", "shop", "m0"],
    ]
    assert lines[0].startswith("2026-01-31T12:00:02")
    assert "n=2" in lines[0].split(" ")
    table = cordwood("query", "| stats count() as events by severity | sort -events")
    assert table.lines == ["severity\tevents", "INFO\t2", "ERROR\t1"]
    found = json.loads(cordwood("query", "severity>=error", "--format", "json").out)
    assert [(row["message"], row["n"], row["severity"]) for row in found] == [("m1", 1, "ERROR")]
    rows = [json.loads(line) for line in cordwood("query", "", "--format", "ndjson", "--limit", "2").lines]
    assert [row["message"] for row in rows] == ["m2", "m1"]
    parsed = list(csv.DictReader(io.StringIO(cordwood("query", "| fields message, n", "--format", "csv").out)))
    assert parsed[0] == {"message": "m2", "n": "2"}
    within = cordwood("query", "| stats count() as n", "--from", "2026-01-31 13:00", "--to", "2026-01-31T12:00:02Z",
                      "--timezone", "Europe/Berlin")  # fmt: skip
    assert within.lines == ["n", "2"]
    assert cordwood("query", "| stats count() as n", "--since", "1h").lines == ["n", "0"]
    assert json.loads(cordwood("query", "m1", "--explain").out)["query"] == "m1"


def test_a_limit_that_cuts_is_said(server, cordwood):
    cordwood("ingest", "-", stdin=ndjson(EVENTS))
    done = cordwood("query", "", "--limit", "1")
    assert (done.code, len(done.lines)) == (0, 1)
    assert "there are more rows" in done.err


@pytest.mark.parametrize("extra", [(), ("--explain",), ("--format", "csv"), ("--format", "json")], ids=" ".join)
def test_a_wrong_query_shows_where(server, cordwood, extra):
    done = cordwood("query", "m1 | stat count()", *extra)
    assert (done.code, done.out) == (1, "")
    query, caret, message, *_ = done.err.splitlines()
    assert query == "m1 | stat count()"
    assert caret.index("^") == query.index("stat")
    assert "stat" in message


def test_ingest_of_files_counts_exactly(server, cordwood, tmp_path):
    body = "".join(json.dumps({"message": f"line {i}", "i": i}) + "\n" for i in range(120_000))
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(body.encode(), 1))
    (tmp_path / "b.log").write_text("plain one\nplain two\n[third]")
    done = cordwood("ingest", str(tmp_path / "a.log.gz"), str(tmp_path / "b.log"), "--service", "files")
    assert (done.code, done.out) == (0, "120003 events accepted of 120003 lines\n")
    assert done.err == ""
    assert server.query("service:files | stats count() as n, distinct_exact(i) as i") == [{"n": 120_003, "i": 120_000}]
    assert [row["message"] for row in server.query("plain or third | sort message | fields message")] == [
        "[third]",
        "plain one",
        "plain two",
    ]


def test_ingest_with_a_parser_and_its_settings(server, cordwood):
    lines = "2026-01-31 12:00:00 alice 17\n2026-01-31 12:00:01 bob 4\nno match\n"
    pattern = r"^(?P<when>\S+ \S+) (?P<user>\w+) (?P<items>\d+)$"
    done = cordwood("ingest", "-", "--parser", "regex", "--pattern", pattern, stdin=lines)
    assert (done.code, done.err) == (0, "")
    assert {row["user"] for row in server.query("user:* | fields user")} == {"alice", "bob"}
    assert server.query("parse_error:* | stats count() as n") == [{"n": 1}]
    refused = cordwood("ingest", "-", "--parser", "nope", stdin=lines)
    assert refused.code == 1
    assert "no parser of type nope" in refused.err
    assert "0 events were accepted before" in refused.err


def test_ingest_takes_the_time_from_a_field(server, cordwood):
    cordwood("ingest", "-", "--timestamp-from", "born", stdin='{"born": "2020-02-02T00:00:00Z", "message": "old"}\n')
    assert server.query("old | fields timestamp")[0]["timestamp"].startswith("2020-02-02T00:00:00")


class Flaky(BaseHTTPRequestHandler):
    """A proxy before the server that is busy, breaks connections, and loses answers of requests that were stored."""

    target = ""
    calls = 0

    def do_POST(self):
        import urllib.request

        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).calls += 1
        turn = type(self).calls % 4
        if turn == 1:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if turn == 2:
            self.connection.close()
            return
        names = ("Content-Type", "Idempotency-Key")
        request = urllib.request.Request(
            self.target + self.path, data=body, headers={name: self.headers[name] for name in names}
        )
        with urllib.request.urlopen(request) as answer:
            content = answer.read()
        if turn == 3:
            self.connection.close()  # stored, but the client never learns
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_ingest_through_trouble_stores_each_line_once(server, cordwood, tmp_path):
    (tmp_path / "a.log").write_text("".join(json.dumps({"i": i, "pad": "x" * 100}) + "\n" for i in range(60_000)))
    handler = type("Handler", (Flaky,), {"target": server.url})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{proxy.server_address[1]}"
        done = cordwood("ingest", str(tmp_path / "a.log"), env={"CORDWOOD_URL": url}, timeout=120)
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
    assert (done.code, done.out) == (0, "60000 events accepted of 60000 lines\n")
    assert server.query("| stats count() as n, distinct_exact(i) as i") == [{"n": 60_000, "i": 60_000}]


def test_tail_follows_until_interrupted(server, data_dir):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")}
    process = subprocess.Popen(
        [str(COMMAND), "tail", "severity>=error", "--format", "ndjson", "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    seen: list[str] = []

    def read():
        seen.extend(process.stdout)

    reader = threading.Thread(target=read)
    reader.start()
    deadline, number = time.monotonic() + 30, 0
    while not seen and time.monotonic() < deadline:
        server.post([{"message": f"fine {number}", "level": "info"}, {"message": f"bad {number}", "level": "error"}])
        number += 1
        time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    reader.join()
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert seen, errors
    assert all(json.loads(line)["message"].startswith("bad ") for line in seen)


def test_without_a_server_the_commands_open_the_store_themselves(cordwood, data_dir):
    done = cordwood("ingest", "-", stdin=ndjson(EVENTS))
    assert (done.code, done.out) == (0, "3 events accepted of 3 lines\n"), done.err
    assert cordwood("query", "| stats count() as n").lines == ["n", "3"]
    assert cordwood("user", "add", "--admin", "a@b.c", "--password-stdin", stdin="correct horse\n").code == 0
    done = cordwood("query", "| stats count() as n")  # who can open the store needs no token
    assert (done.lines, done.err) == (["n", "3"], "")
    assert all("\trevoked\t" in line for line in cordwood("token", "list").lines[1:])
    health = cordwood("doctor", "--port", "0")
    assert health.code == 0, health.out
    found = dict(line.split(None, 1)[1].split(": ", 1) for line in health.lines)
    assert {"Python", "platform", "data folder", "free space", "PostgreSQL", "fsync", "schema", "clock"} <= set(found)
    assert found["fsync"] == "on"


def test_doctor_before_the_first_start_and_where_something_is_wrong(cordwood, tmp_path):
    fresh = cordwood("doctor", "--data-dir", str(tmp_path / "new"), "--port", "0")
    assert fresh.code == 0, fresh.out
    assert "PostgreSQL" in fresh.out
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    wrong = cordwood("doctor", "--data-dir", str(tmp_path / "file"), "--port", "0")
    assert wrong.code == 1
    assert any(line.startswith("fail") and "choose another --data-dir" in line for line in wrong.lines)
    url = {"CORDWOOD_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/d"}
    gone = cordwood("doctor", "--port", "0", env=url)
    assert gone.code == 1
    assert "PostgreSQL cannot be reached" in gone.out
    assert "hunter2" not in gone.out + gone.err
