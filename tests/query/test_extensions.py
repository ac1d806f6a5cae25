"""Stages and functions of another package: the one of the page, on a server as users start it; others will not do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cordwood.core.query.extensions import load_extensions

from ..conftest import CORDWOOD, ROOT, Server

PAGE = (ROOT / "docs" / "extending-the-language.md").read_text()
(MODULE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(TOML,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
HOOK = """
from cordwood.core.query.extend import Stage, function
from cordwood.plugins import hookimpl
class S(Stage, frozen=True, kw_only=True):
    name = "NAME"
    GRAMMAR = "GRAMMAR_"
    DOC = ""
@hookimpl
def cordwood_language(): return [ADDED]
"""


def installed(folder: Path, name: str, module: str) -> Path:
    """A package with this module, as pip leaves it."""
    (folder / f"cordwood_{name}.py").write_text(module)
    told = folder / f"cordwood_{name}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cordwood-{name}\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[cordwood.language]\n{name} = cordwood_{name}\n")
    return folder


def run(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([CORDWOOD, *arguments], check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def test_the_package_of_the_page_extends_the_language(tmp_path: Path, make_server: Callable[..., Server]) -> None:
    assert '[project.entry-points."cordwood.language"]\ninitials = "cordwood_initials"' in TOML
    installed(tmp_path, "initials", MODULE)
    installed(tmp_path, "wrong", "raise ImportError('no such library')")
    server = make_server(environment={"PYTHONPATH": str(tmp_path)})
    server.start()
    server.post([{"user": name, "took": i} for i, name in enumerate(("ada", "alan", "bob", "amy", "ann"))])
    rows = server.query('| where initial(user) == "A" | sort took | every 2 | fields user, took')
    assert rows == [{"user": "alan", "took": 1}, {"user": "ann", "took": 4}]

    def ask(path: str, query: str) -> tuple[int, bytes]:
        return server.call("POST", path, json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})

    for typed, expected in (("| eve", "every "), ("| where ini", "initial(")):
        status, answer = ask("/api/v1/complete", typed)
        assert status == 200
        assert expected in [item["text"] for item in json.loads(answer)["items"]]
    status, answer = ask("/api/v1/query", "| every x")
    assert (status, b"unexpected `x`" in answer) == (400, True), answer
    assert run(tmp_path, "query", "--format-query", "|EVERY   3").strip() == "| every 3"
    listed = run(tmp_path, "plugins", "list")
    assert re.search(r"stage\s+every\s+cordwood-initials\s+1\.0\s+Every n-th row", listed)
    assert re.search(r"function\s+initial\s+cordwood-initials\s+1\.0\s+The first letter", listed)
    assert re.search(r"wrong\s+cordwood-wrong\s+ImportError: no such library", listed)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("x = 1", "returns no Stage class"),
        ("CORDWOOD_API = '9.0'", "made for plugin API 9.0"),
        (HOOK.replace("ADDED", "len"), "is neither Stage class and no function"),
        (HOOK.replace("ADDED", "S").replace("NAME", "stats"), "the language has stats already"),
        (HOOK.replace("ADDED", "S").replace("NAME", "Bad Name"), "is no name of the language"),
        (HOOK.replace("ADDED", "S").replace("NAME", "odd").replace("GRAMMAR_", "odd: nowhere"), "the grammar of odd"),
        (HOOK.replace("ADDED", "function('lower(x)', 1)(lambda args: args)"), "the language has lower already"),
    ],
)
def test_what_will_not_do_is_named_and_the_rest_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, reason: str
) -> None:
    monkeypatch.syspath_prepend(installed(installed(tmp_path, "initials", MODULE), "wrong", module))
    for name in ("cordwood_initials", "cordwood_wrong"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = load_extensions.__wrapped__()
    assert [one.package for one in found.loaded] == ["cordwood-initials"]
    ((package, said),) = [(failure.package, failure.reason) for failure in found.failures]
    assert package == "cordwood-wrong"
    assert reason in said
    for name in ("cordwood_initials", "cordwood_wrong"):
        sys.modules.pop(name, None)
