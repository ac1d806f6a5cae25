"""`cordwood delete` against a server, and against a store that no server runs on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "deletion.md"


def lines(user):
    """Four events, three of them of this user."""
    users = [user, "bob", user, user]
    return "".join(
        json.dumps({"timestamp": f"2026-01-31T12:00:0{n}Z", "user": name, "service": user, "message": f"m{n}"}) + "\n"
        for n, name in enumerate(users)
    )


def test_it_shows_what_would_go_before_it_does(running):
    running("ingest", "-", stdin=lines("ada"))
    look = running("delete", "user:ada", "--to", "2026-01-31T12:00:03Z", "--dry-run")
    assert (look.code, len(look.lines)) == (0, 3)
    assert "user=ada" in look.lines[0]
    assert look.lines[-1] == "2 events from 2026-01-31T12:00:00.000000000Z to 2026-01-31T12:00:02.000000000Z"
    asked = running("delete", "user:ada")
    assert asked.code == 1
    assert "--yes" in asked.err
    assert len(running.query("service:ada")) == 4
    done = running("delete", "user:ada", "--to", "2026-01-31T12:00:03Z", "--yes")
    assert (done.code, done.lines[-1].split(": ")[1]) == (0, "2 events deleted")
    assert sorted(row["message"] for row in running.query("service:ada")) == ["m1", "m3"]


def test_stages_are_refused_and_nothing_found_is_said(running):
    wrong = running("delete", "user:eve | limit 1", "--yes")
    assert wrong.code == 1
    query, caret, message, *_ = wrong.err.splitlines()
    assert (query, caret.index("^")) == ("user:eve | limit 1", 11)
    assert "stage" in message
    nothing = running("delete", "user:nobody-at-all", "--yes")
    assert (nothing.code, nothing.out) == (0, "no event is found\n")


def test_without_a_store(cordwood):
    missing = cordwood("delete", "user:carl", "--yes")
    assert missing.code == 3


@pytest.mark.usefixtures("store")
def test_without_a_server(cordwood):
    cordwood("ingest", "-", stdin=lines("carl"))
    done = cordwood("delete", "user:carl", "--yes")
    assert (done.code, done.lines[-1]) == (0, "deletion 1: 3 events deleted")


def test_the_page_as_written(running):
    before = running.query("| stats count() as n")[0]["n"]
    running("ingest", "-", stdin=lines("ada@example.org"))
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    environment = running.environment()
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", block], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "3 events from" in done.stdout
    assert "3 events deleted" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["n", str(before + 1)]
