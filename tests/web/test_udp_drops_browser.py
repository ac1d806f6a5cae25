"""What the kernel drops while a UDP source does not read: in metrics, readiness, `cordwood top` and on a page."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cordwood.cli.top import rows
from cordwood.plugins import load_plugins
from playwright.sync_api import Page, expect
from prometheus_client.parser import text_string_to_metric_families

from ..conftest import Server, data_folder, free_port
from . import shop

browser, faults, open_page = shop.browser, shop.faults, shop.open_page
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="this system does not tell what it drops"),
]
UDP = sorted(
    type_ for type_, found in load_plugins().kinds["source"].items() if "udp" in found.cls.config_model.model_fields
)
ROOM = 64 * 1024 * 1024
"""More than the kernel gives a socket: 16 MiB where 8 are asked for."""
ONE = {"gelf": b'{"version": "1.1", "host": "h", "short_message": "%b"}', "syslog": b"<13>%b"}


def datagram(type_: str, size: int = 1) -> bytes:
    return ONE[type_] % (b"x" * size)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {type_: free_port() for type_ in UDP}


@pytest.fixture(scope="module")
def site(cluster: Path, ports: dict[str, int]) -> Iterator[Server]:
    with data_folder() as folder:
        sources = {f"{type_} here": {"type": type_, "udp": f"127.0.0.1:{port}"} for type_, port in ports.items()}
        server = Server(folder, yaml.safe_dump({"version": 1, "sources": sources}), cluster=cluster)
        server.start()
        yield server
        server.stop()
        server.log.unlink(missing_ok=True)
        if server.config:
            server.config.unlink(missing_ok=True)


def dropped(server: Server, type_: str) -> float | None:
    """What the metrics say; None: nothing yet."""
    text = server.call("GET", "/metrics")[1].decode()
    for family in text_string_to_metric_families(text):
        if family.name == "cordwood_source_dropped_datagrams":
            found = [one.value for one in family.samples if one.labels["source"] == f"{type_} here"]
            return found[0] if found else None
    return None


def warnings(server: Server, type_: str) -> list[str]:
    ready = json.loads(server.call("GET", "/readyz")[1])
    return [text for text in ready["warnings"] if text.startswith(f"source {type_} here: the kernel has dropped")]


@pytest.mark.parametrize("type_", UDP)
def test_what_the_kernel_drops_is_shown(
    site: Server, open_page: Callable[..., Page], ports: dict[str, int], type_: str
) -> None:
    give_up = time.monotonic() + 20
    while dropped(site, type_) is None and time.monotonic() < give_up:  # it does not listen yet
        time.sleep(0.05)
    assert dropped(site, type_) == 0
    assert warnings(site, type_) == []
    assert site.process
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        site.process.send_signal(signal.SIGSTOP)  # who does not run reads nothing
        try:
            while sent * 60_000 < ROOM:
                peer.sendto(datagram(type_, 60_000), ("127.0.0.1", ports[type_]))
                sent += 1
        finally:
            site.process.send_signal(signal.SIGCONT)
    lost = dropped(site, type_)
    assert lost
    assert 0 < lost < sent
    assert f"{lost:.0f} datagrams" in warnings(site, type_)[0]
    found = json.loads(site.call("GET", "/api/v1/pipelines")[1])
    counted = next(one["counts"] for one in found["sources"] if one["name"] == f"{type_} here")
    assert counted["dropped_datagrams"] == lost
    row = next(row for row in rows(found, found) if row[0] == f"source {type_} here")
    assert f"dropped_datagrams {lost:.0f}" in row[-1]
    graph = open_page("/pipelines").get_by_role("region", name="Graph")
    expect(graph).to_contain_text(re.compile(f"{type_} here.*dropped datagrams {lost:.0f}"))
    # What found room is stored, and no more: each event was sent, and was dropped or is there.
    give_up = time.monotonic() + 30
    while (stored := site.query(f'source:"{type_} here" | stats count() as n')) != [{"n": sent - lost}]:
        assert time.monotonic() < give_up, (stored, sent, lost)
        time.sleep(0.1)
