"""The built-in places against the contract, and what is special in each."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.places.s3 import S3, S3Settings
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import place_contract

from ..objectstore import KEYS, Bucket, S3Server

_server: list[S3Server] = []


@pytest.fixture(scope="module", autouse=True)
def server(s3_server: S3Server) -> Iterator[None]:
    """The contract's settings are made outside fixtures."""
    _server.append(s3_server)
    yield
    _server.clear()


def bucket_of(folder: Path) -> dict[str, Any]:
    made = Bucket(folder.name.lower().replace("_", "-"), _server[0].url)
    made.client.create_bucket(Bucket=made.name)
    made.client.close()
    return {**made.settings(prefix="some/where")}


test_folder = place_contract(
    Folder, lambda folder: {"path": folder / "place"}, lambda folder: {"path": Path(__file__) / "no folder"}
)
test_s3 = place_contract(
    S3, bucket_of, lambda folder: {"bucket": "b-0", "endpoint": "http://127.0.0.1:1", "region": "us-east-1", **KEYS}
)


class Seen(BaseHTTPRequestHandler):
    """Answers that there is no such object, and keeps the headers."""

    headers_seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "name", "token"),
    [
        pytest.param({}, "theirs", "env", id="environment"),
        pytest.param({"access_key_id": "ours", "secret_access_key": "s"}, "ours", None, id="file"),
        pytest.param(
            {"access_key_id": "ours", "secret_access_key": "s", "session_token": "t"}, "ours", "t", id="token"
        ),
    ],
)
async def test_keys_of_the_file_and_of_the_environment_are_not_mixed(
    given: dict[str, str], name: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in (("ACCESS_KEY_ID", "theirs"), ("SECRET_ACCESS_KEY", "x"), ("SESSION_TOKEN", "env")):
        monkeypatch.setenv(f"AWS_{variable}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), Seen) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings = {"bucket": "logs", "endpoint": f"http://127.0.0.1:{server.server_port}", "region": "eu-west-9"}
        assert await S3(S3Settings.model_validate(settings | given)).get("k") is None
        server.shutdown()
        thread.join()
    seen = Seen.headers_seen.pop()
    assert f"Credential={name}/" in seen["authorization"]
    assert "/eu-west-9/s3/" in seen["authorization"]
    assert seen.get("x-amz-security-token") == token


@pytest.mark.anyio
async def test_a_folder_has_no_half_files(tmp_path: Path) -> None:
    place = Folder(FolderConfig(path=tmp_path / "new" / "place"))
    await place.put("a/b", b"data")
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()] == [tmp_path / "new/place/a/b"]
    (tmp_path / "new/place/a/.c.part").write_bytes(b"ha")  # a crash has left it
    await place.delete(["a/c", "a/b"])
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()] == []


@pytest.mark.anyio
async def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RetryableError, match=f"the folder {tmp_path} cannot be used: No space left on device"):
        await Folder(FolderConfig(path=tmp_path)).put("k", b"data")
