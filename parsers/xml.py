"""Messages that are an XML element, such as events of Windows.

    parse: [{type: xml}]

    <Event><System><EventID>4625</EventID><Computer>pc-7</Computer></System></Event>

Elements become dotted names without the outermost one and without namespaces, attributes stand beside them; of elements
of one name the values are an array. `<Data Name="User">ada</Data>` is `….Data.User`, as Windows means it.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, hookimpl, read_ndjson
from .forms import share

_BEGINS = r"^[\ufeff\s]*<(?:\?xml|[A-Za-z_][\w:.-]*[\s/>])"
_DEEPEST = 50
"""Elements within elements: what is deeper is no log."""
_MOST = 2_000
"""Elements of a message: more would be as many columns."""
_LEVELS = {"0": "info", "1": "critical", "2": "error", "3": "warn", "4": "info", "5": "debug"}
"""What Windows' `Level` means."""


class XmlConfig(PluginConfig):
    """Settings of the XML parser."""

    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""
    largest: int = Field(262_144, ge=100, le=16_777_216)
    """Characters of a message that is read; a longer one stays as it is, with `parse_error`."""


class Xml(Parser[XmlConfig]):
    """Take the elements and attributes of a message that is an XML element as fields; all values are text.

    Python an event. Neither a document type nor an entity of one's own is read, so nothing can be fetched or blown up.
    An event of Windows also fills time, host and severity. The message stays whole where there is no element for it.
    """

    def parse(self, batch: Batch) -> Batch:
        """A message that is no XML element, is too deep or has too many elements gets a `parse_error`."""
        message = batch.frame["message"]
        objects: list[bytes] = []
        errors: list[str | None] = []
        for text in message.to_list():
            found, error = ({}, None) if text is None else self._read(text)
            objects.append(msgspec.json.encode(found))
            errors.append(error)
        where = message.is_not_null() & pl.Series(errors, dtype=pl.String).is_null()
        if not where.any():
            refused = pl.coalesce("parse_error", pl.lit(pl.Series(errors, dtype=pl.String)))
            return Batch(batch.frame.with_columns(parse_error=refused))
        fields = read_ndjson(b"\n".join(objects), None, zone=self.config.timezone)
        return batch.merged(fields, where=where, error=pl.Series(errors, dtype=pl.String))

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages that begin with an element's tag."""
        return share(messages, _BEGINS)

    def _read(self, text: str) -> tuple[dict[str, Any], str | None]:
        """The fields of a message, or why there are none."""
        if not text.lstrip("\ufeff \t\r\n").startswith("<"):
            return {}, "xml: no element"
        if len(text) > self.config.largest:
            return {}, f"xml: longer than {self.config.largest} characters (largest)"
        try:
            return _fields(text), None
        except (expat.ExpatError, _UnwantedError, UnicodeError) as why:
            return {}, f"xml: {str(why)[:200]}"


class _UnwantedError(Exception):
    """The document has what is not read."""


class _Tree:
    """Builds nested dictionaries while expat reads."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, dict[str, Any], list[str]]] = []
        self.root: dict[str, Any] = {}
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if len(self.stack) >= _DEEPEST or self.elements > _MOST:
            raise _UnwantedError(f"more than {_DEEPEST} elements deep, or more than {_MOST} elements")
        own = {_local(key): value for key, value in attributes.items() if not key.startswith("xmlns")}
        self.stack.append((_local(name), own, []))

    def text(self, data: str) -> None:
        if self.stack:
            self.stack[-1][2].append(data)

    def end(self, _: str) -> None:
        name, content, pieces = self.stack.pop()
        text = "".join(pieces).strip()
        value: Any = content
        if set(content) == {"Name"} and self.stack:  # <Data Name="User">ada</Data>
            value = {content["Name"]: text}
        elif text and content:
            value = content | {"text": text}
        elif not content:
            value = text
        if not self.stack:
            self.root = value if isinstance(value, dict) else {name: value}
        elif value not in ("", {}):
            _add(self.stack[-1][1], name, value)


def _add(content: dict[str, Any], name: str, value: Any) -> None:
    """Put a child into its parent: mappings under one name are one, other values an array."""
    old = content.get(name)
    if old is None:
        content[name] = value
    elif isinstance(old, dict) and isinstance(value, dict) and not old.keys() & value.keys():
        content[name] = old | value
    elif isinstance(old, list):
        old.append(value)
    else:
        content[name] = [old, value]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _fields(text: str) -> dict[str, Any]:
    """The content of the outermost element.

    :raises ExpatError: it is no XML
    :raises _UnwantedError: it has a document type, or too much
    """
    tree, parser = _Tree(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = tree.start, tree.end, tree.text

    def refuse(*_: object) -> None:
        raise _UnwantedError("a document type is not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text.lstrip("\ufeff \t\r\n"), True)
    system = tree.root.get("System")
    return _of_windows(tree.root, system) if isinstance(system, dict) else tree.root


def _of_windows(root: dict[str, Any], system: dict[str, Any]) -> dict[str, Any]:
    """With the standard fields of an event of Windows."""
    created = system.get("TimeCreated")
    standard = {
        "timestamp": created.get("SystemTime") if isinstance(created, dict) else None,
        "host": system.get("Computer"),
        "severity": _LEVELS.get(str(system.get("Level"))),
    }
    return {name: value for name, value in standard.items() if value is not None} | root


@hookimpl
def cordwood_plugins() -> list[type[Xml]]:
    """The XML parser."""
    return [Xml]
