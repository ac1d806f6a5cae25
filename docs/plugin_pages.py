"""A page for each plugin of a kind: what it says of itself, its text beside the plugin, its settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordwood.docs.tables import escaped, table
from cordwood.plugins import HttpSource, Plugin

ROOT = Path(__file__).parent.parent
TEXTS = {"source": "sources", "parser": "parsers"}
"""The folder of a kind's texts, each with the plugin's name, and of its pages under docs/."""
MADE = "<!-- Made by `make docs` from the plugin and {text}: edit that. -->\n"
PORT = """\
Of Cordwood's own port. A body may be packed by gzip, deflate or zstd; how large it may be, and what a larger one gets:
[limits](../limits.md).
"""
ACKNOWLEDGED = "## What is acknowledged\n"
PIPELINE = "```yaml\nversion: 1\n"


def plugin_page(plugin: type[Plugin[Any]], definitions: Mapping[str, Any]) -> str:
    """The page of a plugin.

    :raises ValueError: its text lacks what each must say
    """
    text = ROOT / TEXTS[plugin.kind] / f"{plugin.type}.md"
    words = text.read_text()
    if plugin.kind == "source" and ACKNOWLEDGED not in words:
        raise ValueError(f"{text} does not say what is acknowledged; write {ACKNOWLEDGED.strip()!r}")
    if plugin.kind == "parser" and PIPELINE not in words:
        raise ValueError(f"{text} shows no pipeline with tests; begin one with {PIPELINE!r}")
    schema = definitions[f"{plugin.kind}.{plugin.type}"]
    settings = {name: setting for name, setting in schema["properties"].items() if name != "type"}
    parts = [
        f"# {plugin.type}\n",
        MADE.format(text=text.relative_to(ROOT)),
        inspect.cleandoc(plugin.__doc__ or "") + "\n",
        words,
    ]
    if issubclass(plugin, HttpSource):
        parts += ["## Addresses\n", _addresses(plugin)]
    parts += ["## Settings\n", _settings(settings, schema.get("required", ()), definitions)]
    return "\n".join(parts)


def _addresses(plugin: type[HttpSource[Any]]) -> str:
    """The methods of each path of Cordwood's own port that it answers."""
    methods: dict[str, list[str]] = {}
    for method, path in plugin.routes:
        methods.setdefault(path, []).append(method)
    rows = [f"| `{escaped(path)}` | {', '.join(found)} |" for path, found in methods.items()]
    return "\n".join([
        PORT,
        "| path | methods |", "|---|---|", *rows, "",
    ])  # fmt: skip


def _settings(settings: Mapping[str, Any], required: Any, definitions: Mapping[str, Any]) -> str:
    return table(settings, required, definitions, nested=True) if settings else "It has none.\n"
