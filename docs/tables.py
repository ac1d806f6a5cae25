"""Tables of settings, from the JSON Schema of a pipeline file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

KINDS = {
    "source": "Sources",
    "parser": "Parsers",
    "detector": "Detectors",
    "notifier": "Notifiers",
    "output": "Outputs",
    "place": "Places",
}
REFERENCE = r"\$\{"  # any setting may be `${NAME}`
_BOUNDS = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " of them"))


def table(
    properties: Mapping[str, Any], required: Collection[str], definitions: Mapping[str, Any], *, nested: bool = False
) -> str:
    """A table of settings; with those within each, if it is to be `nested`."""
    rows = [
        f"| `{name}` | {kind_of(setting, definitions)} | {default} | {sentence(setting.get('description', ''))} |"
        for name, setting, default in _settings(properties, required, definitions, nested)
    ]
    return "\n".join(["| setting | value | default | what |", "|---|---|---|---|", *rows, ""])


def _settings(
    properties: Mapping[str, Any], required: Collection[str], definitions: Mapping[str, Any], nested: bool
) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    for name, setting in properties.items():
        if setting is False:  # of a later release
            continue
        yield name, setting, "required" if name in required else shown(setting.get("default"))
        if nested:
            for option in [setting, *setting.get("anyOf", ())]:
                inner = definitions.get(option.get("$ref", "").removeprefix("#/$defs/"), {})
                found = _settings(inner.get("properties", {}), inner.get("required", ()), definitions, nested=False)
                yield from ((f"{name}.{within}", one, default) for within, one, default in found)


def kind_of(setting: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """The values that a setting may have, in few words."""
    if "$ref" in setting:
        name: str = setting["$ref"].removeprefix("#/$defs/")
        if name in KINDS:
            return name
        return kind_of(definitions.get(name, {}), definitions)
    if "const" in setting:
        return f"`{escaped(str(setting['const']))}`"
    if "enum" in setting:
        return ", ".join(f"`{escaped(str(value))}`" for value in setting["enum"])
    if "anyOf" in setting:
        options = [one for one in setting["anyOf"] if one.get("type") != "null" and one.get("pattern") != REFERENCE]
        return " or ".join(dict.fromkeys(kind_of(one, definitions) for one in options))
    if setting.get("examples"):
        return f"such as `{escaped(setting['examples'][0])}`"
    match setting.get("type"):
        case "array":
            return f"list of {kind_of(setting.get('items', {}), definitions)}{_bounds(setting)}"
        case "string":
            return f"text{_bounds(setting)}"
        case "boolean":
            return "true or false"
        case "integer":
            return f"whole number{_bounds(setting)}"
        case "object" | ["object", "null"]:
            return "mapping"
        case str(other):
            return f"{other}{_bounds(setting)}"
    return "any"


def _bounds(setting: Mapping[str, Any]) -> str:
    """`, 1 to 1,000`; empty where there are none worth a word."""
    for least, most, unit in _BOUNDS:
        low, high = setting.get(least), setting.get(most)
        if high is not None:
            return f", {f'{low:,} to ' if low is not None else 'at most '}{high:,}{unit}"
        if least == "minimum" and low is not None:
            return f", {low:,} or more"
    return ""


def shown(default: Any) -> str:
    """A default as it would be written."""
    if default in (None, "", {}, []):
        return ""
    return (
        f"`{escaped({True: 'true', False: 'false'}.get(default, default) if isinstance(default, bool) else default)}`"
    )


def sentence(text: str) -> str:
    """A description in one cell of a table."""
    return escaped(" ".join(text.split()))


def escaped(text: object) -> str:
    """Text that ends no cell."""
    return str(text).replace("|", "\\|")
