"""A server that speaks the S3 protocol, as a process, and buckets on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

KEYS = {"access_key_id": "test", "secret_access_key": "hush"}


class S3Server:
    """moto's server. It keeps everything in memory. `checked`: it knows users, and refuses all others."""

    def __init__(self, port: int, log: Path, *, checked: bool = False) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        environment = os.environ | ({"INITIAL_NO_AUTH_ACTION_COUNT": "1"} if checked else {})
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5).close()
                return
            except urllib.error.HTTPError as why:
                why.close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"moto's server does not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Bucket:
    """A bucket, empty at first."""

    name: str
    url: str

    @cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key_id"],
            aws_secret_access_key=KEYS["secret_access_key"],
        )

    def settings(self, **more: Any) -> Mapping[str, Any]:
        """Settings of the place s3."""
        return {"bucket": self.name, "endpoint": self.url, "region": "us-east-1", **KEYS, **more}

    def yaml(self) -> str:
        """The same as a mapping in a YAML file, with its type."""
        return "{" + ", ".join(f'{name}: "{value}"' for name, value in {"type": "s3", **self.settings()}.items()) + "}"

    def keys(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {found["Key"] for page in pages for found in page.get("Contents", ())}
