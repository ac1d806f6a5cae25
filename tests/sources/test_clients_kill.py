"""Real clients, while the server and its PostgreSQL are killed once in the middle: what is lost is what must be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .clients_brokers import BROKERS
from .clients_browser import BROWSER
from .clients_http import HTTP
from .clients_javascript import CLIENTS as JAVASCRIPT
from .clients_python import PYTHON
from .clients_syslog import OTHERS, RSYSLOG
from .killing import Client, Killing

GROUPS: Mapping[str, Mapping[str, Client]] = {
    "rsyslog": RSYSLOG,
    "syslog": OTHERS,
    "python": PYTHON,
    "brokers": BROKERS,
    "http": HTTP,
    "javascript": JAVASCRIPT,
    "browser": BROWSER,
}
SHORT = ("rsyslog-5424", "pygelf-udp", "fluent-logger", "loki-logger-handler", "datadog-api-client", "splunk-handler",
         "elasticsearch", "otlp-http")  # fmt: skip
"""One client of each family of protocols; MQTT has its own test, and what is fetched."""

pytestmark = pytest.mark.filterwarnings(  # pygelf leaves connections open
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.soak
@pytest.mark.parametrize("group", GROUPS)
def test_ten_thousand_events_of_each_client_over_a_kill(group: str, make_server: Any, data_dir: Path) -> None:
    Killing(make_server, data_dir, GROUPS[group], 10_000).run()


def test_one_client_of_each_family_over_a_kill(make_server: Any, data_dir: Path) -> None:
    known = {name: client for clients in GROUPS.values() for name, client in clients.items()}
    Killing(make_server, data_dir, {name: known[name] for name in SHORT}, 1_000).run()
