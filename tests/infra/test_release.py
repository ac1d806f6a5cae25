"""The bill of materials of a release: each package that is pinned and shipped is in it, once, by its package URL."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


IMAGE = ("requirements.txt", "requirements-aws.txt", "requirements-otel.txt")


def test_the_image_has_a_bill_of_what_is_installed_in_it() -> None:
    text = (ROOT / "infra/docker/Dockerfile").read_text()
    installed = re.findall(r"-r (requirements[\w-]*)\.lock", text.partition("AS build")[2])
    (listed,) = re.findall(r"packages\.py (.*) > ", text)
    assert [f"{name}.txt" for name in installed] == listed.split() == list(IMAGE)


@pytest.mark.parametrize("files", [(), IMAGE], ids=["wheel", "image"])
def test_the_bill_of_materials_names_all_that_is_shipped(files: tuple[str, ...]) -> None:
    command = [sys.executable, "docs/packages.py", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    made = json.loads(done.stdout)
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert made["metadata"]["component"]["purl"].startswith("pkg:pypi/cordwood@")
    components = made["components"]
    references = [one["bom-ref"] for one in components]
    assert len(set(references)) == len(references)
    assert all(one["name"] and one["version"] and one["licenses"][0]["license"]["name"] for one in components)
    text = "\n".join((ROOT / file).read_text() for file in files or ("requirements.txt",))
    pinned = re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)
    assert len(pinned) > 50
    assert {f"pkg:pypi/{name.lower().replace('_', '-').replace('.', '-')}@{version}" for name, version in pinned} == {
        reference for reference in references if reference.startswith("pkg:pypi/")
    }
    used = json.loads((ROOT / "web/ui/package.json").read_text())["dependencies"]
    scripts = [one for one in components if one["purl"].startswith("pkg:npm/")]
    assert used.keys() <= {one["name"] for one in scripts}
    assert all(re.fullmatch(r"[0-9a-f]{128}", one["hashes"][0]["content"]) for one in scripts)
