"""The parts of the commands that need no process: times, blocks of files, server-sent events, server.json."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import httpx
import pytest
import zstandard
from cordwood.cli.blocks import NDJSON, TEXT, Lines
from cordwood.cli.exits import InputError
from cordwood.cli.output import clean, one_line, text_of
from cordwood.cli.sending import parameters
from cordwood.cli.serverfile import announced, running_server
from cordwood.cli.times import ago, moment
from cordwood.cli.web import bound, url_of
from cordwood.client import RefusedError
from cordwood.client.wire import Messages, ServerSent
from cordwood.plugins import ConfigError
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_769_860_800_000_000_000  # 2026-01-31T12:00:00Z


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("now", "UTC", "2026-01-31T12:00:00.000000000Z"),
        ("-15m", "UTC", "2026-01-31T11:45:00.000000000Z"),
        ("1h30m", "UTC", "2026-01-31T10:30:00.000000000Z"),
        ("2026-01-31", "UTC", "2026-01-31T00:00:00.000000000Z"),
        ("2026-01-31", "Europe/Berlin", "2026-01-30T23:00:00.000000000Z"),
        ("2026-01-31 12:00", "Europe/Berlin", "2026-01-31T11:00:00.000000000Z"),
        ("2026-01-31T12:00:00.123456789Z", "UTC", "2026-01-31T12:00:00.123456789Z"),
        ("2026-01-31T12:00:00.5+02:00", "UTC", "2026-01-31T10:00:00.500000000Z"),
    ],
)
def test_times(text, zone, expected):
    assert moment(text, zone, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00"])
def test_no_times(text):
    with pytest.raises(InputError, match=r"is no time|is no duration"):
        moment(text, "UTC", NOW)


def test_ago():
    assert ago("1d", NOW) == "2026-01-30T12:00:00.000000000Z"


@given(st.lists(st.binary(max_size=200).filter(lambda line: b"\n" not in line), max_size=50), st.integers(1, 300))
def test_blocks_hold_every_byte_and_cut_no_line(tmp_path_factory, lines, size):
    path = tmp_path_factory.mktemp("blocks") / "x.log"
    body = b"x\n" + b"".join(line + b"\n" for line in lines)
    path.write_bytes(body)
    with Lines(str(path)) as file:
        blocks = list(file.blocks(size))
    assert b"".join(block.body for block in blocks) == body
    assert all(block.body.endswith(b"\n") for block in blocks)
    assert sum(block.lines for block in blocks) == len(lines) + 1
    assert sum(block.read for block in blocks) == len(body)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_compressed_files_whatever_their_name(tmp_path, pack):
    body = b'{"a": 1}\n' * 100_000
    path = tmp_path / "x.dat"
    path.write_bytes(pack(body[:500_004]) + pack(body[500_004:]))
    with Lines(str(path)) as file:
        assert file.media_type == NDJSON
        blocks = list(file.blocks(100_000))
    assert b"".join(block.body for block in blocks) == body
    assert sum(block.read for block in blocks) == path.stat().st_size


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_damaged_file_says_so(tmp_path, pack):
    path = tmp_path / "x.dat"
    path.write_bytes(pack(os.urandom(3_000_000))[:-2000])
    with pytest.raises(InputError, match=r"x\.dat cannot be read"):
        read_all(path)


def read_all(path):
    with Lines(str(path)) as file:
        return list(file.blocks(10_000))


def test_a_json_array_becomes_lines(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"a": 1, "b": "x\ny"}, {"c": [1, 2]}], indent=2))
    with Lines(str(path)) as file:
        (block,) = file.blocks()
    assert file.media_type == NDJSON
    assert [json.loads(line) for line in block.body.splitlines()] == [{"a": 1, "b": "x\ny"}, {"c": [1, 2]}]


def test_text_that_begins_with_a_bracket_is_text(tmp_path):
    path = tmp_path / "x.log"
    path.write_text("[error] disk full\n")
    with Lines(str(path)) as file:
        assert file.media_type == TEXT


def test_parameters_of_a_parser():
    given_ = parameters("regex", "web", None, "(?P<a>x)", ["flags=i", "b.c==d"], "Europe/Berlin")
    assert given_ == {
        "parser": "regex",
        "parser.pattern": "(?P<a>x)",
        "parser.flags": "i",
        "parser.b.c": "=d",
        "service": "web",
        "timezone": "Europe/Berlin",
    }


def test_server_sent_events():
    lines, found = ServerSent(), []
    for line in (": hello", "", "event: event", "id: 7:1", "data: {", "data: }", "", "data: x", "", ":", ""):
        found.append(lines.event(line))
    assert [event for event in found if event] == [("event", "7:1", "{\n}"), ("message", "7:1", "x")]


def test_a_problem_in_a_tail_says_what_and_where():
    def told(status):
        messages = Messages()
        for line in ("event: event", "id: 3", 'data: {"n": 1}', "", "event: problem"):
            messages.event(line)
        problem = {"status": status, "detail": "no such field", "errors": [{"line": 1, "column": 4}]}
        messages.event(f"data: {json.dumps(problem)}")
        assert messages.headers()["Last-Event-ID"] == "3"
        messages.event("")

    with pytest.raises(RefusedError) as refused:
        told(400)
    assert (refused.value.status, refused.value.detail) == (400, "no such field")
    assert refused.value.errors == ({"line": 1, "column": 4},)
    with pytest.raises(httpx.RemoteProtocolError, match="no such field"):
        told(503)


def test_server_file_is_there_while_the_server_runs(tmp_path):
    assert running_server(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:1"):
        assert json.loads((tmp_path / "server.json").read_text())["pid"] == os.getpid()
        assert running_server(tmp_path) == "http://127.0.0.1:1"
    assert list(tmp_path.iterdir()) == []


def test_a_server_file_that_a_killed_server_left_is_noticed(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = tmp_path / "server.json"
    for left in (
        {"url": "http://x", "pid": gone.pid},
        {"url": "http://x", "pid": os.getpid(), "started": 1.0},  # the number was given to another process
        {"url": "http://x"},
        [],
    ):
        path.write_text(json.dumps(left))
        assert running_server(tmp_path) is None
    path.write_text("{")
    assert running_server(tmp_path) is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("[::1]", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_the_url_of_a_server(host, url):
    assert url_of(host, 80) == url


def test_a_taken_port_says_so():
    with bound("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} cannot be used: Address already in use"):
            bound("127.0.0.1", port)


def test_what_others_logged_cannot_steer_the_terminal():
    assert clean("a\x1b[31mb\x07\n\tc\x9b") == "a\ufffd[31mb\ufffd\n\tc\ufffd"
    assert one_line("a\nb\tc\\") == "a\\nb\\tc\\\\"
    assert [text_of(value) for value in (None, True, 1.5, [1], {"a": "ü"})] == ["", "true", "1.5", "[1]", '{"a": "ü"}']
