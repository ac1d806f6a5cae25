"""The release's files, and the image's steps without an engine: a wheel in a new environment without Node and compiler.

Every dependency is downloaded as a wheel, as in `infra/docker/Dockerfile`, so this needs a package index.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
import venv
from pathlib import Path

import pytest

from ..conftest import ROOT, free_port

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel, built from the source distribution, and what requirements.txt pins."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    left_out = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "build", "*.egg-info", "data", "tests")
    shutil.copytree(ROOT, source, ignore=left_out)
    venv.create(folder / "env", with_pip=True)
    python = folder / "env/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    requirements = ["-r", ROOT / "requirements.txt", "-r", ROOT / "requirements-aws.txt"]
    subprocess.run([*pip, "--only-binary=:all:", *requirements], check=True, timeout=600)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", source]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = (folder / "dist").glob("*.whl")
    with tarfile.open(*(folder / "dist").glob("*.tar.gz")) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert {"requirements.lock", "CHANGELOG.md", "LICENSE", "web/static/index.html", "infra/docker/Dockerfile"} <= names
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, timeout=120)
    (page,) = folder.glob("env/lib/python*/site-packages/cordwood/web/static/index.html")
    assert page.exists()
    shutil.rmtree(source)
    return folder / "env"


def test_the_demo_answers_after_its_first_start(environment: Path, data_dir: Path) -> None:
    port = free_port()
    began = time.monotonic()
    process = subprocess.Popen(
        [environment / "bin/cordwood", "up", "--demo", "--port", str(port), "--data-dir", data_dir],
        env={"PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Cordwood is ready: ")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert '<div id="root">' in answer.read().decode()
        print(f"first answer after {time.monotonic() - began:.1f} s; on an idle machine it takes less than 20")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        process.stdout.close()


def test_help_imports_little(environment: Path) -> None:
    command = [environment / "bin/python", "-X", "importtime", "-c", "from cordwood.cli import main; main()", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    imported = set(re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "typer" in imported
    assert not imported & {"asyncpg", "duckdb", "polars", "pyarrow", "litestar", "sqlalchemy", "httpx", "pydantic"}
    own = re.findall(r"^import time: +(\d+) \|", done.stderr, re.MULTILINE)
    print(f"imports for --help: {sum(map(int, own)) / 1e6:.3f} s")
