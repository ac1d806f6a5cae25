"""The UI's files: cached as they may be, pages of the router, and nothing from outside the folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.pages import Pages

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ui(node: Node, client_of: Callable[..., Client], tmp_path: Path) -> AsyncIterator[Client]:
    """A client of the application with a small built UI; a secret lies beside its folder."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Cordwood</title>")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-a1b2.js").write_text("export {}")
    (folder / "assets" / "font-c3.woff2").write_bytes(b"wOF2")
    (tmp_path / "secret.txt").write_text("root: secret")
    (folder / "assets" / "link.js").symlink_to(tmp_path / "secret.txt")
    app = create_app(node)
    app.pages = Pages(folder)
    async with client_of(app) as client:
        yield client


async def test_assets_never_change_and_pages_are_asked_again(ui: Client) -> None:
    asset = await ui.get("/assets/index-a1b2.js")
    assert (asset.status_code, asset.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await ui.get("/assets/font-c3.woff2")).headers["content-type"] == "font/woff2"
    assert (await ui.get("/icon.svg")).headers["content-type"].startswith("image/svg+xml")
    for path in ("/", "/explore", "/alerts/incidents/7", "/index.html", "/dashboards/a.b"):
        page = await ui.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        assert page.headers["cache-control"] == "no-cache"
        assert "<title>Cordwood</title>" in page.text
    again = await ui.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await ui.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/%2e%2e/secret.txt",
     "/assets/%2e%2e/%2e%2e/secret.txt", "/..%5csecret.txt", "/assets/link.js", "//secret.txt", "/%2fetc/passwd",
     "//etc/passwd", "/assets//etc/passwd", "/assets/....//secret.txt", "/assets", "/assets/", "/assets/nothing.js"],
)  # fmt: skip
async def test_nothing_from_outside_the_folder(ui: Client, path: str) -> None:
    answer = await ui.get(f"http://localhost{path}")
    assert answer.status_code in (200, 404)
    assert b"root:" not in answer.content
    if answer.request.url.raw_path.startswith(b"/assets/"):
        assert answer.status_code == 404


async def test_unknown_paths(ui: Client) -> None:
    for method, path, status in (
        ("GET", "/api/v1/nope", 404),
        ("POST", "/api/v1/nope", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v3/logs", 404),
        ("GET", "/api/v2/logs", 405),
        ("POST", "/nowhere", 404),
        ("GET", "/api/v1/query", 405),
        ("DELETE", "/api/v1/status", 405),
        ("GET", "/api/v1/logs", 405),
        ("POST", "/schema", 405),
    ):
        answer = await ui.request(method, path)
        assert answer.status_code == status, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        if status == 405:
            assert answer.headers["allow"]


async def test_without_a_build_the_page_says_how_to_make_one(
    node: Node, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    app = create_app(node)
    app.pages = Pages(tmp_path / "none")
    async with client_of(app) as client:
        page = await client.get("/explore")
        assert page.status_code == 200
        assert "make ui" in page.text
        assert (await client.get("/assets/x.js")).status_code == 404


async def test_every_answer_has_the_security_headers(ui: Client) -> None:
    for path in ("/", "/assets/index-a1b2.js", "/api/v1/status", "/api/v1/nope", "/healthz", "/schema", "/metrics"):
        headers = (await ui.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert (await ui.get("/api/v1/status")).headers["cache-control"] == "no-store"


async def test_the_pages_we_write_have_no_inline_script(ui: Client) -> None:
    page = await ui.get("/schema")
    assert page.headers["content-type"].startswith("text/html")
    assert 'src="/schema/try.js"' in page.text
    assert "<script>" not in page.text
    assert "onclick" not in page.text
    assert "//cdn" not in page.text
