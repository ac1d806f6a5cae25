"""The page for plugin authors: its code runs, and what it names exists."""

import atexit
import importlib
import re
import sys
import tempfile
from pathlib import Path

import cordwood.plugins
from cordwood.plugins import Batch
from cordwood.plugins.fields import STANDARD

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
parser, contract = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
# From a file, because the settings' descriptions are read from there.
folder = tempfile.TemporaryDirectory()
atexit.register(folder.cleanup)
(Path(folder.name) / "page_shop.py").write_text(parser + "\n\n" + contract)
sys.path.insert(0, folder.name)
names = vars(importlib.import_module("page_shop"))
sys.path.remove(folder.name)
test_contract_of_the_page = names["test_contract"]


def test_parser_of_the_page() -> None:
    (cls,) = names["cordwood_plugins"]()
    events = cls(cls.config_model()).parse(Batch.from_lines(["cart 200 12ms", "no"])).events()
    assert (cls.type, events[0]["service"], events[0]["http.status"], events[0]["duration"]) == (
        "shop",
        "cart",
        200,
        12,
    )
    assert events[1]["parse_error"] == "shop: no such line"


def test_names_of_the_page_exist() -> None:
    for name in STANDARD:
        assert f"`{name}`" in PAGE
    for name in re.findall(r"`([a-z_]+|[A-Z]\w+)\(", PAGE):
        known = hasattr(cordwood.plugins, name) or name in dir(cordwood.plugins.Detector) or name.endswith("_contract")
        own = (
            "parse",
            "keeps",
            "divide",
            "judge",
            "settle",
            "join",
            "detect",
            "notify",
            "put",
            "get",
            "delete",
            "gather",
        )
        assert known or name in own, name
