"""`cordwood route test` says who would be told, and why."""

from __future__ import annotations

FILE = """
notifiers:
  anna: {type: ntfy, topic: anna-topic}
  ben: {type: ntfy, topic: ben-topic}
rotas:
  platform: {people: [anna, ben], start: 2026-01-05}
detectors:
  errors: {type: match, query: panic, window: 1m, every: 5s}
routes:
  pay: {match: {service: pay}, notify: [platform], escalate: [{after: 15m, notify: [ben]}]}
"""


def test_who_would_be_told(cordwood, tmp_path):
    file = tmp_path / "cordwood.yaml"
    file.write_text(FILE)
    ask = ("route", "test", str(file), "--detector", "errors", "--at", "2026-01-06T12:00")
    told = cordwood(*ask, "--label", "service=pay")
    assert told.code == 0
    assert told.lines == [
        "after\tnotifier\twhen\twhy",
        "0s\tanna\topened\troute pay, on call in platform",
        "15m\tben\tnot acknowledged\troute pay",
    ]
    nobody = cordwood(*ask, "--label", "service=shop")
    assert (nobody.code, nobody.out, nobody.err) == (0, "", "nobody would be told\n")
    wrong = cordwood("route", "test", str(file), "--detector", "error")
    assert wrong.code == 1
    assert "there are errors" in wrong.err
    assert cordwood(*ask, "--label", "service").code == 2
