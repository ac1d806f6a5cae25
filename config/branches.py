"""`type: route`: a step of steps. Each event goes through those of the first branch whose search finds it.

It is no plugin: which parsers there are, and what a search is, no plugin knows.
"""

from __future__ import annotations

from typing import Any, Final

from ..plugins import Batch, Parser, PluginConfig

DEEPEST: Final = 5
"""Routes within routes."""
ROUTE: Final = "route"
ABOUT: Final = """Send each event through the steps of the first branch whose `when` finds it.

An event that no branch finds goes through the steps of `else`, or stays as it is."""


class Route(Parser[PluginConfig]):
    """Stands where a step has its parser: the branches do the work."""

    def parse(self, batch: Batch) -> Batch:
        """The events as they came."""
        return batch


def route_schema(step: dict[str, Any], when: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a route."""
    steps = {"type": "array", "items": step}
    branch = {
        "type": "object",
        "properties": {"when": when, "parse": steps | {"description": "Parsers in the order they run."}},
        "required": ["when", "parse"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": ABOUT,
        "properties": {
            "type": {"const": ROUTE},
            "branches": {
                "type": "array",
                "items": branch,
                "minItems": 1,
                "description": "Searches and the steps of what they find; the first that finds an event has it.",
            },
            "else": steps | {"description": "The steps of events that no branch finds."},
            "when": when,
        },
        "required": ["type", "branches"],
        "additionalProperties": False,
    }
