"""A third party's package is built, installed beside Cordwood and used; a broken one is reported and hurts nobody.

Wheels of Cordwood and of both packages go into a new environment. Their dependencies are not installed again: a `.pth`
file there leads to the environment that runs this test, behind the new one's own packages, so nothing is downloaded.
(`--system-site-packages` would lead to the base interpreter instead, which has none of them.) A `.pth` file in a folder
that was reached so is not read, so the editable Cordwood of this environment is not seen there.
"""

import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".mypy*", ".ruff_cache", ".pytest_cache", "node_modules", "__pycache__", "build", "*.egg-info",
    "data", "tests", "docs",
)  # fmt: skip


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the new environment `env`, a copy of the third party's package, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("thirdparty")
    shutil.copytree(ROOT, folder / "checkout", ignore=LEFT_OUT)
    for name in ("acme", "broken"):
        shutil.copytree(HERE / name, folder / name, ignore=LEFT_OUT if name == "broken" else None)
    wheel = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-w",
        "wheels",
    ]
    run(*wheel, "./checkout", "./acme", "./broken", cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder)
    (site,) = folder.glob("env/lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "env/bin/python",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    run(*pip, *folder.glob("wheels/*.whl"), cwd=folder)
    return folder


def test_installed_cordwood_is_the_wheel(place: Path) -> None:
    found = run(place / "env/bin/python", "-c", "import cordwood; print(cordwood.__file__)", cwd=place).stdout.strip()
    assert Path(found).is_relative_to(place / "env")


def test_plugins_list(place: Path) -> None:
    listed = run(place / "env/bin/cordwood", "plugins", "list", cwd=place)
    told = listed.stdout + listed.stderr
    for word in ("acme_glog", "ntfy", "cordwood-acme", "1.2.0", "threshold"):
        assert word in listed.stdout
    for word in ("acme_broken", "broken on import", "acme_future", "2.0", "acme_empty"):
        assert word in told


def test_in_a_pipeline(place: Path) -> None:
    pipeline = place / "pipeline.yaml"
    pipeline.write_text(
        textwrap.dedent("""
        version: 1
        sources:
          kube: {type: file, include: ["/var/log/kube/*.log"]}
        pipelines:
          kube:
            from: [kube]
            service: kubelet
            parse: [{type: acme_glog, timezone: Europe/Berlin}]
            tests:
              - input: "E0314 15:09:26.535897 1234 server.go:42] connection refused"
                expect: [{severity: ERROR, message: connection refused, "thread.id": "1234", service: kubelet}]
        detectors:
          errors: {type: threshold, query: "severity>=error | stats count() as n", condition: "n > 5", notify: [phone]}
        notifiers:
          phone: {type: ntfy, topic: oncall}
        """)
    )
    cordwood = place / "env/bin/cordwood"
    run(cordwood, "check", pipeline, cwd=place)
    run(cordwood, "test", pipeline, cwd=place)
    pipeline.write_text(pipeline.read_text().replace("Europe/Berlin", "Mars/Olympus"))
    refused = run(cordwood, "check", pipeline, cwd=place, check=False)
    assert refused.returncode == 1
    assert "timezone" in refused.stdout + refused.stderr


def test_lines_through_it_are_stored_and_found(place: Path) -> None:
    cordwood, log = place / "env/bin/cordwood", place / "kube.log"
    log.write_text("".join(f"E0314 15:09:26.535897 1234 server.go:{n}] connection refused\n" for n in range(20)))
    run(cordwood, "ingest", log, "--parser", "acme_glog", "--data-dir", place / "data", cwd=place)
    query = "severity:ERROR thread.id:1234 'connection refused' | stats count() as n"
    found = run(cordwood, "query", query, "--format", "ndjson", "--data-dir", place / "data", cwd=place)
    assert '"n":20' in found.stdout.replace(" ", "")


def test_its_own_tests_with_the_kit(place: Path) -> None:
    done = run(
        place / "env/bin/python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        cwd=place / "acme",
    )
    assert " passed" in done.stdout
