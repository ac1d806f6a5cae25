"""The package's own tests: the kit, and one case."""

from cordwood.plugins import Batch
from cordwood.plugins.conformance import notifier_contract, parser_contract
from cordwood_acme.glog import Glog, GlogConfig
from cordwood_acme.ntfy import Ntfy

LINE = "E0314 15:09:26.535897 1234 server.go:42] connection refused"

test_glog_contract = parser_contract(Glog, lines=[LINE])
test_ntfy_contract = notifier_contract(Ntfy, lambda url: {"server": url, "topic": "oncall"})


def test_line():
    (event,) = Glog(GlogConfig()).parse(Batch.from_lines([LINE], observed=1_773_500_000_000_000_000)).events()
    assert event["timestamp"] == "2026-03-14T15:09:26.535897000Z"
    assert (event["severity"], event["message"], event["thread.id"]) == ("ERROR", "connection refused", "1234")
