"""The alert rules: their expressions parse, name metrics and labels that there are, and each has a run-book."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from cordwood.core.alerting.metrics import DECLARED as OF_ALERTING
from cordwood.core.forwarding.metrics import DECLARED as OF_OUTPUTS
from cordwood.core.query.parser import parse
from cordwood.core.runtime.metrics import DECLARED as OF_NODE

ROOT = Path(__file__).parents[2]
(GROUP,) = yaml.safe_load((ROOT / "infra/prometheus/alerts.yaml").read_text())["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
KNOWN = {one.shown: one for one in (*OF_ALERTING, *OF_NODE, *OF_OUTPUTS)}
GIVEN = {"instance", "job"}  # Prometheus's own labels
PAGES = ROOT / "docs/operations"


def page(rule: dict[str, Any]) -> str:
    found: str = rule["annotations"]["runbook_url"].removeprefix("https://cordwood.dev/docs/operations/")
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule(rule: dict[str, Any]) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    parsed = promql_parser.parse(rule["expr"])
    assert parsed is not None
    named = set(re.findall(r"\bcordwood_\w+", rule["expr"]))
    assert named <= KNOWN.keys() or rule["expr"].startswith("up{")
    labels = GIVEN.union(*(KNOWN[name].labels for name in named))
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
    used |= set(re.findall(r"[{,](\w+)=", rule["expr"]))
    assert used <= labels
    assert (PAGES / f"{page(rule)}.md").is_file()


def test_a_wrong_expression_would_be_seen() -> None:
    with pytest.raises(ValueError, match=r"[Uu]nclosed|unexpected|expected"):
        promql_parser.parse("rate(cordwood_failed_commits_total[5m) > 0")


def test_the_page_of_operations_lists_every_alert() -> None:
    text = (PAGES / "README.md").read_text()
    for rule in RULES:
        assert f"| {rule['alert']} | [{rule['annotations']['summary']}]({page(rule)}.md) |" in text


def test_prometheus_is_told_where_nodes_and_rules_are() -> None:
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yaml").read_text())
    assert config["rule_files"] == ["alerts.yaml"]
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "cordwood"
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) <= services.keys()
    assert found["port"] == 8080


def test_the_queries_of_the_run_books_are_right() -> None:
    found = [text for path in PAGES.glob("*.md") for text in re.findall(r"`((?:from |\* \|)[^`]+)`", path.read_text())]
    assert len(found) >= 3
    for text in found:
        assert parse(text, any_head=True)
