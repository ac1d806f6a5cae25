"""Loki's names of labels, and Cordwood's of fields.

Every field is a label. A label has letters, digits and `_` only, so `http.status` is `http_status`; the service is
`service_name`, the severity `detected_level` (and `level`, where events have no field of that name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

UNNAMED: Final = frozenset({"timestamp", "observed_timestamp", "message", "severity_number", "severity_text"})
"""Fields that are no labels: the line, its times, and what the level says already."""
STREAM: Final = ("service", "host")
"""Fields that make a stream; the others are its structured metadata."""
OWN: Final[Mapping[str, str]] = {"service": "service_name", "severity": "detected_level"}
LEVEL: Final = ("detected_level", "level")
UNKNOWN: Final = "unknown"
"""The `detected_level` of a line that has none."""
LEVELS: Final = ("trace", "debug", "info", "warn", "error", "fatal")
ERROR: Final = ("__error__", "__error_details__")


def label_of(field: str) -> str:
    """The label of a field.

    >>> label_of("http.status"), label_of("service"), label_of("2nd")
    ('http_status', 'service_name', '_2nd')
    """
    if field in OWN:
        return OWN[field]
    name = re.sub(r"[^A-Za-z0-9_]", "_", field)
    return f"_{name}" if name[:1].isdigit() else name


def label_text(field: str, value: Any) -> str:
    """A field's value as a label's.

    >>> label_text("severity", "ERROR2"), label_text("ok", True), label_text("n", 5), label_text("x", [1])
    ('error', 'true', '5', '[1]')
    """
    match value:
        case str():
            return value.lower().rstrip("0123456789") if field == "severity" else value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
    return repr(value).replace("'", '"')


class Labels:
    """The labels of a project's events.

    :param fields: the names of the fields that they have.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        self.fields = frozenset(fields)
        self._of: dict[str, str] = {}
        for field in sorted(self.fields, key=lambda name: (label_of(name) != name, name)):
            self._of.setdefault(label_of(field), field)

    def field(self, label: str) -> str:
        """The field that a label means; one that no event has is called as the label is.

        >>> labels = Labels(["http.status", "service", "severity"])
        >>> labels.field("http_status"), labels.field("service_name"), labels.field("level"), labels.field("x")
        ('http.status', 'service', 'severity', 'x')
        """
        if label in self.fields:
            return label
        if label == "service_name":
            return "service"
        if label in LEVEL:
            return "severity"
        return self._of.get(label, label)

    def is_known(self, label: str) -> bool:
        """Whether some event has it."""
        return self.field(label) in self.fields

    def all(self) -> list[str]:
        """The labels there are, in order."""
        return sorted(label for label, field in self._of.items() if field not in UNNAMED)
