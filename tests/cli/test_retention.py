"""`cordwood retention` shows what the rules of a file would take."""

from __future__ import annotations

import json


def test_the_rules_of_a_file(running, tmp_path):
    running("ingest", "-", stdin=json.dumps({"timestamp": "2026-01-31T12:00:00Z", "message": "old"}) + "\n")
    nothing = running("retention")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no rule: everything is kept\n")
    file = tmp_path / "cordwood.yaml"
    file.write_text("store: {retention: 30d, streams: {debug: {retention: 1h30m}}}\n")
    shown = running("retention", str(file))
    assert shown.code == 0
    names, events, debug = (line.split("\t") for line in shown.lines)
    assert names[:5] == ["project", "rule", "query", "keeps", "events now"]
    assert events[:5] == ["default", "events", "", "30d", "1"]
    assert debug[:5] == ["default", "debug", "severity:debug", "1h30m", "0"]
    assert [row["message"] for row in running.query("*")] == ["old"]
    file.write_text("store: {streams: {debug: {}}}\n")
    wrong = running("retention", str(file))
    assert wrong.code == 1
    assert "store.streams.debug" in wrong.err
