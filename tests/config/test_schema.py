"""The JSON Schema has every loaded plugin's settings, chosen by `type`, and refers only to what it defines."""

from __future__ import annotations

import json

from cordwood.config import pipeline_schema


def references(schema):
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def test_every_plugin_is_in_and_its_type_chooses_its_settings(registry):
    schema = json.loads(json.dumps(pipeline_schema(registry)))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["source"]["properties"]["type"]["enum"] == ["keyed", "post", "tailer"]
    rule = {
        "if": {"properties": {"type": {"const": "tailer"}}, "required": ["type"]},
        "then": {"$ref": "#/$defs/source.tailer"},
    }
    assert rule in schema["$defs"]["source"]["allOf"]
    tailer = schema["$defs"]["source.tailer"]
    assert tailer["description"] == "Reads files."
    assert tailer["required"] == ["type", "include"]
    assert tailer["additionalProperties"] is False
    assert tailer["properties"]["include"]["description"] == "Files to read."
    assert "when" in schema["$defs"]["parser.pattern"]["properties"]
    assert "when" not in tailer["properties"]
    assert schema["properties"]["templates"] is False


def test_references_lead_somewhere(registry):
    schema = pipeline_schema(registry)
    found = set(references(schema))
    assert found
    assert {ref for ref in found if ref.removeprefix("#/$defs/") not in schema["$defs"]} == set()


def test_a_number_may_be_a_reference_to_the_environment(registry):
    retries = pipeline_schema(registry)["$defs"]["notifier.pager"]["properties"]["retries"]
    assert {"type": "integer"} in retries["anyOf"]
    assert {"type": "string", "pattern": r"\$\{"} in retries["anyOf"]
    assert retries["default"] == 3
