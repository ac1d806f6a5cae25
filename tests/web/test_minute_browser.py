"""From the alert to the cause: the link of a webhook, the incident, its lines, their trace, the first error of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from ..conftest import Server
from . import shop
from .shop import rows, said

site, browser, faults, open_page = shop.site, shop.browser, shop.faults, shop.open_page
hook_port = shop.hook_port
pytestmark = pytest.mark.browser
REQUESTS = 24
MOST_CLICKS = 8


def test_from_the_alert_to_the_cause(open_page: Callable[..., Page], site: Server) -> None:
    broken_orders(site)
    page = open_page(told_address("orders"))  # as whoever was told opens it
    clicks = 0

    def click(what: Locator) -> None:
        nonlocal clicks
        clicks += 1
        what.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("orders")
    click(page.get_by_role("link", name="Events in Explore"))
    expect(rows(page)).to_have_count(REQUESTS)  # exactly the lines that the detector counted
    expect(rows(page).first).to_contain_text("order 23 failed: ledger did not answer")
    click(rows(page).first)
    click(page.get_by_role("button", name="All of this trace"))
    expect(rows(page)).to_have_count(5)
    assert said(page, "q") == f'trace_id:"{trace(REQUESTS - 1)}"'
    click(page.get_by_role("list", name="Severities").get_by_role("button", name="ERROR"))
    expect(rows(page)).to_have_count(3)
    click(rows(page).last)
    event = page.get_by_role("region", name="Event", exact=True)
    expect(event.get_by_label("Message", exact=True)).to_have_text("connection refused by 10.0.0.7:5432")
    expect(event).to_contain_text("ledger")
    assert clicks <= MOST_CLICKS


def trace(number: int) -> str:
    return f"{number + 1:032x}"


def broken_orders(site: Server) -> None:
    """Requests that fail because of what lies two services below: each a trace of five events, three of them errors."""
    start = datetime.now(UTC) - timedelta(minutes=4)
    chain = (
        ("INFO", "gateway", "POST /api/orders"),
        ("INFO", "orders", "order {} taken"),
        ("ERROR", "ledger", "connection refused by 10.0.0.7:5432"),
        ("ERROR", "orders", "order {} failed: ledger did not answer"),
        ("ERROR", "gateway", "POST /api/orders 500"),
    )
    status, _ = site.post([
        {
            "timestamp": (start + timedelta(seconds=number, milliseconds=10 * step)).isoformat(),
            "severity": severity,
            "service": service,
            "message": message.format(number),
            "trace_id": trace(number),
        }
        for number in range(REQUESTS)
        for step, (severity, service, message) in enumerate(chain)
    ])  # fmt: skip
    assert status == 200


def told_address(service: str) -> str:
    """Where the webhook's link leads, once the incident of this service was told."""
    deadline = time.monotonic() + 60
    while service not in shop.Hook.pages:
        assert time.monotonic() < deadline, shop.Hook.pages
        time.sleep(0.1)
    return urlparse(shop.Hook.pages[service]).path
