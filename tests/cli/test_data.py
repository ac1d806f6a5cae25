"""`ingest`, `query` and `tail` against a server, and against a store that no server runs on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
import signal
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest


def ndjson(service):
    """Three events as lines."""
    return "".join(
        json.dumps(
            {"timestamp": f"2026-01-31T12:00:0{i}Z", "severity": s, "service": service, "message": f"m{i}", "n": i}
        )
        + "\n"
        for i, s in enumerate(["INFO", "ERROR", "INFO"])
    )


def test_ingest_and_query_in_every_format(running):
    done = running("ingest", "-", stdin=ndjson("shop"))
    assert (done.code, done.out) == (0, "3 events accepted of 3 lines\n")
    lines = running("query", "service:shop").lines
    assert [line.split(" ")[1:4] for line in lines] == [
        ["INFO", "shop", "m2"],
        ["ERROR", "shop", "m1"],
        ["INFO", "shop", "m0"],
    ]
    assert lines[0].startswith("2026-01-31T12:00:02")
    assert "n=2" in lines[0].split(" ")
    table = running("query", "service:shop | stats count() as events by severity | sort -events")
    assert table.lines == ["severity\tevents", "INFO\t2", "ERROR\t1"]
    found = json.loads(running("query", "service:shop severity>=error", "--format", "json").out)
    assert [(row["message"], row["n"], row["severity"]) for row in found] == [("m1", 1, "ERROR")]
    rows = [json.loads(x) for x in running("query", "service:shop", "--format", "ndjson", "--limit", "2").lines]
    assert [row["message"] for row in rows] == ["m2", "m1"]
    # A merged segment holds other tests' services of that day, too: its `service` is a list then.
    head, events = running("query", "from segments service:*shop* | stats sum(rows) as events").lines
    assert head == "events"
    assert int(events) >= 3
    out = running("query", "service:shop | fields message, n", "--format", "csv").out
    assert next(csv.DictReader(io.StringIO(out))) == {"message": "m2", "n": "2"}
    count = "service:shop | stats count() as n"
    zone = ("--from", "2026-01-31 13:00", "--to", "2026-01-31T12:00:02Z", "--timezone", "Europe/Berlin")
    assert running("query", count, *zone).lines == ["n", "2"]
    assert running("query", count, "--since", "1h").lines == ["n", "0"]
    assert json.loads(running("query", "m1", "--explain").out)["query"] == "m1"


def test_the_page_on_lookup_tables(running, tmp_path):
    running("ingest", "-", stdin=ndjson("web"))
    page = (Path(__file__).parents[2] / "docs" / "lookups.md").read_text()
    commands, owners = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("sh", "csv"))
    file = tmp_path / "owners.csv"
    file.write_text(owners)
    put, listed, found, deleted = (
        running(*[str(file) if word == file.name else word for word in shlex.split(line)[1:]])
        for line in commands.splitlines()
    )
    assert (put.code, put.out) == (0, "owners version 1: 2 rows of service text, team text, pager text\n")
    assert listed.lines[1].split("\t")[:4] == ["owners", "1", "2", "service,team,pager"]
    assert "edge\t1" in found.lines
    assert deleted.out == "deleted owners\n"


def test_what_goes_wrong_with_lookup_tables(running, tmp_path):
    running("lookup", "put", "codes", "-", stdin="code,meaning\n402,unpaid\n")
    assert running("lookup", "show", "codes").out == "code,meaning\n402,unpaid\n"
    assert running("lookup", "put", "codes", str(tmp_path / "nowhere.csv")).code == 1
    running("lookup", "delete", "codes")
    gone = running("lookup", "delete", "codes")
    assert (gone.code, "no such version of a lookup table `codes`" in gone.err) == (1, True)


def test_a_limit_that_cuts_is_said(running):
    running("ingest", "-", stdin=ndjson("limited"))
    done = running("query", "service:limited", "--limit", "1")
    assert (done.code, len(done.lines)) == (0, 1)
    assert "there are more rows" in done.err


@pytest.mark.parametrize("extra", [(), ("--explain",), ("--format", "csv"), ("--format", "json")], ids=" ".join)
def test_a_wrong_query_shows_where(running, extra):
    done = running("query", "m1 | stat count()", *extra)
    assert (done.code, done.out) == (1, "")
    query, caret, message, *_ = done.err.splitlines()
    assert query == "m1 | stat count()"
    assert caret.index("^") == query.index("stat")
    assert "stat" in message


def test_check_asks_the_server_for_projects(running, tmp_path):
    path = tmp_path / "p.yaml"
    text = "sources:\n  log: {type: file, include: [/x], project: shop}\n  web: {type: http}\n"
    path.write_text(text + "outputs:\n  out: {type: file, folder: /y, project: shop}\n")
    done = running("check", str(path))
    assert done.code == 1
    hint = "there is no project shop"
    assert [line.split(": ", 1)[0] for line in done.err.splitlines() if hint in line] == [
        f"{path}:2:3 sources.log.project", f"{path}:5:3 outputs.out.project"
    ]  # fmt: skip
    assert "cordwood project add shop" in done.err
    assert running("project", "add", "shop").code == 0
    assert (running("check", str(path)).code, running("check", str(path)).err) == (0, "")
    alone = running("check", str(path), "--data-dir", str(tmp_path))
    assert alone.code == 0
    assert "whether there are these projects is not known: shop" in alone.err


def test_ingest_of_files_counts_exactly(running, tmp_path):
    body = "".join(json.dumps({"message": f"line {i}", "i": i}) + "\n" for i in range(120_000))
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(body.encode(), 1))
    (tmp_path / "b.log").write_text("plain one\nplain two\n[third]")
    done = running("ingest", str(tmp_path / "a.log.gz"), str(tmp_path / "b.log"), "--service", "files")
    assert (done.code, done.out) == (0, "120003 events accepted of 120003 lines\n")
    assert done.err == ""
    assert running.query("service:files | stats count() as n, distinct_exact(i) as i") == [{"n": 120_003, "i": 120_000}]
    texts = running.query("service:files (plain or third) | sort message | fields message")
    assert [row["message"] for row in texts] == ["[third]", "plain one", "plain two"]


def test_ingest_with_a_parser_and_its_settings(running):
    lines = "2026-01-31 12:00:00 alice 17\n2026-01-31 12:00:01 bob 4\nno match\n"
    pattern = r"^(?P<when>\S+ \S+) (?P<user>\w+) (?P<items>\d+)$"
    options = ("--service", "parsed", "--parser", "regex", "--pattern", pattern)
    done = running("ingest", "-", *options, stdin=lines)
    assert (done.code, done.err) == (0, "")
    assert {row["user"] for row in running.query("service:parsed user:* | fields user")} == {"alice", "bob"}
    assert running.query("service:parsed parse_error:* | stats count() as n") == [{"n": 1}]
    refused = running("ingest", "-", "--parser", "nope", stdin=lines)
    assert refused.code == 1
    assert "no parser of type nope" in refused.err
    assert "0 events were accepted before" in refused.err


@pytest.mark.parametrize("parser", [None, "json"])
def test_ingest_takes_the_time_from_a_field(running, parser):
    line = f'{{"born": "2020-02-02T00:00:00Z", "message": "old", "service": "born-{parser}"}}\n'
    options = ("--parser", parser) if parser else ()
    done = running("ingest", "-", "--timestamp-from", "born", *options, stdin=line)
    assert (done.code, done.err) == (0, "")
    (row,) = running.query(f"service:born-{parser} | fields timestamp, parse_error")
    assert row["timestamp"].startswith("2020-02-02T00:00:00")
    assert row["parse_error"] is None


class Flaky(BaseHTTPRequestHandler):
    """A proxy before the server that is busy, breaks connections, and loses answers of requests that were stored."""

    target = ""
    troubles: ClassVar = {
        1: "busy",
        2: "breaks",
        3: "loses",
        4: "loses",
        6: "busy",
        7: "loses",
    }  # by the number of the request
    calls = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).calls += 1
        trouble = self.troubles.get(type(self).calls)
        if trouble == "busy":
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if trouble == "breaks":
            self.connection.close()
            return
        names = ("Content-Type", "Idempotency-Key")
        request = urllib.request.Request(
            self.target + self.path, data=body, headers={name: self.headers[name] for name in names}
        )
        with urllib.request.urlopen(request) as answer:
            content = answer.read()
        if trouble == "loses":
            self.connection.close()  # stored, but the client never learns
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_ingest_through_trouble_stores_each_line_once(running, tmp_path):
    (tmp_path / "a.log").write_text("".join(json.dumps({"i": i, "pad": "x" * 100}) + "\n" for i in range(60_000)))
    handler = type("Handler", (Flaky,), {"target": running.url})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        env = {"CORDWOOD_URL": f"http://127.0.0.1:{proxy.server_address[1]}"}
        done = running("ingest", str(tmp_path / "a.log"), "--service", "flaky", env=env, timeout=120)
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
    assert (done.code, done.out) == (0, "60000 events accepted of 60000 lines\n")
    assert running.query("service:flaky | stats count() as n, distinct_exact(i) as i") == [{"n": 60_000, "i": 60_000}]


def test_tail_follows_until_interrupted(running):
    process = running.start("tail", "service:tailed severity>=error", "--format", "ndjson")
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(process.stdout))
    reader.start()
    deadline, number = time.monotonic() + 30, 0
    while not seen and time.monotonic() < deadline:
        levels = {"fine": "info", "bad": "error"}
        running.post([{"message": f"{m} {number}", "level": x, "service": "tailed"} for m, x in levels.items()])
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
    done = cordwood("ingest", "-", stdin=ndjson("own"))
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
