"""The page about parsers: the tests in its files pass, and it names every parser."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cordwood.plugins import load_plugins

from .geoip_database import HAMBURG, written

PAGE = (Path(__file__).parents[2] / "docs" / "parsers.md").read_text()
FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(FILES)))
def test_the_tests_on_the_page_pass(number: int, tmp_path: Path) -> None:
    (tmp_path / "page.yaml").write_text(FILES[number])
    command = Path(sys.executable).parent / "cordwood"
    places = {"GEOIP_DATABASE": str(written(tmp_path / "places.mmdb", {"192.0.2.0/24": HAMBURG}))}
    done = subprocess.run(
        [command, "test", tmp_path / "page.yaml"], capture_output=True, text=True, env=os.environ | places
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed, total = re.match(r"(\d+) of (\d+) tests passed", done.stdout).groups()  # type: ignore[union-attr]
    assert int(passed) == int(total) == FILES[number].count("- input:")


def test_it_names_every_parser() -> None:
    headings = set(re.findall(r"\w+", " ".join(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))))
    own = {name for name, found in load_plugins().kinds["parser"].items() if found.package == "cordwood"}
    assert headings == own | {"route"}  # a step of steps, which no plugin is
