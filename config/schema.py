"""The JSON Schema of a pipeline file, with the settings of every loaded plugin: what editors check and complete by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from ..plugins import Gatherer, Plugin, Registry
from .branches import ROUTE, route_schema
from .limits import Limits
from .loader import NOT_YET
from .models import ON_ERROR, FileSettings, PipelineSettings, RecordingSettings, ReportSettings, StoreSettings
from .routes import Rota, Route
from .sign_in import SignInSettings
from .silences import Maintenance
from .units import format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
_SECTIONS = {"sources": "source", "detectors": "detector", "notifiers": "notifier", "outputs": "output"}
_ABOUT = {
    "sources": "Where events come from, by name.",
    "pipelines": "The way from sources to the store, by name.",
    "detectors": "What is watched, by name.",
    "notifiers": "Who is told, by name.",
    "outputs": "Where committed events are sent on to, by name.",
    "store": "Where and how long events are kept.",
    "rotas": "Who is on call in turn, by name.",
    "routes": "Who is told of which incidents, by name; the first that matches decides.",
    "maintenance": "When nobody is told of which incidents, by name.",
    "reports": "What is written down and sent by the clock, by name.",
    "recordings": "Figures of queries that are kept as metrics, by name.",
    "sign_in": "Ways to sign in beside a password.",
    "limits": "What may come in, how fast, and how much memory it may take.",
}


def pipeline_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema (2020-12) of a pipeline file. An entry's `type` chooses the settings that it may have."""
    definitions: dict[str, Any] = {}
    for kind, plugins in registry.kinds.items():
        for type_, loaded in plugins.items():
            chosen = kind == "parser" and not issubclass(loaded.cls, Gatherer)
            extra = {"when": _when(), "on_error": _on_error()} if chosen else {}
            definitions[f"{kind}.{type_}"] = _settings(loaded.cls, extra, definitions)
        definitions[kind] = _by_type(kind, sorted([*plugins, ROUTE] if kind == "parser" else plugins))
    properties = _model(FileSettings, "", definitions)["properties"]
    for section, kind in _SECTIONS.items():
        properties[section] = _mapping({"$ref": f"#/$defs/{kind}"})
    pipeline = _model(PipelineSettings, "", definitions)
    step = {
        "if": {"type": "string"},
        "then": {"enum": sorted(registry.kinds["parser"])},
        "else": {"$ref": "#/$defs/parser"},
    }
    pipeline["properties"]["parse"] |= {"items": step}
    definitions[f"parser.{ROUTE}"] = route_schema(step, _when())
    properties["pipelines"] = _mapping(pipeline)
    properties["rotas"] = _mapping(_model(Rota, "", definitions))
    properties["routes"] = _mapping(_model(Route, "", definitions))
    properties["maintenance"] = _mapping(_model(Maintenance, "", definitions))
    properties["reports"] = _mapping(_model(ReportSettings, "", definitions))
    properties["recordings"] = _mapping(_model(RecordingSettings, "", definitions))
    properties["limits"] = _model(Limits, "", definitions)
    properties["sign_in"] = _model(SignInSettings, "", definitions)
    properties["store"] = _model(StoreSettings, "", definitions)
    place = {"$ref": "#/$defs/place"}
    for name, values in (("place", {"if": {"type": "string"}, "else": place}), ("places", _mapping(place))):
        described = properties["store"]["properties"][name]
        properties["store"]["properties"][name] = values | {"description": described["description"]}
    for section, text in _ABOUT.items():
        properties[section]["description"] = text
    return {
        "$schema": DIALECT,
        "$id": "https://cordwood.dev/schema/pipeline.json",
        "title": "Cordwood pipeline file",
        "type": "object",
        "properties": properties | dict.fromkeys(NOT_YET, False),
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _when() -> dict[str, Any]:
    return {"type": "string", "description": "A search: only the events that it matches go through this step."}


def _on_error() -> dict[str, Any]:
    about = "What becomes of an event that the step cannot read: stored with parse_error, or a dead letter."
    return {"enum": list(ON_ERROR), "default": ON_ERROR[0], "description": about}


def _mapping(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": values}


def _by_type(kind: str, types: list[str]) -> dict[str, Any]:
    """Any entry of a kind: `type` is one of those installed, and decides by which definition the rest is checked."""
    rules = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"$ref": f"#/$defs/{kind}.{name}"},
        }
        for name in types
    ]
    chosen: dict[str, Any] = {"type": "object", "properties": {"type": {"enum": types}}, "required": ["type"]}
    return chosen | ({"allOf": rules} if rules else {})


def _settings(cls: type[Plugin[Any]], extra: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _model(cls.config_model, f"{cls.kind}.{cls.type}.", definitions)
    schema["description"] = (cls.__doc__ or "").strip()
    schema["properties"] = {"type": {"const": cls.type}, **schema.get("properties", {}), **extra}
    schema["required"] = ["type", *schema.get("required", [])]
    return schema


class _Generator(GenerateJsonSchema):
    """Pydantic's own, but durations are as people write them, and a type without a JSON form (a zone) is text."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        return {"type": "string"}

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _model(model: Any, prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model; what it refers to goes to `definitions`, under names that no other model's can take."""
    references = f"#/$defs/{prefix}{{model}}"
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator, ref_template=references)
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = _relaxed(definition)
    schema.pop("title", None)
    relaxed: dict[str, Any] = _relaxed(schema)
    return relaxed


def _relaxed(schema: Any) -> Any:
    """The same, with `${NAME}` allowed wherever only some values may stand, and without pydantic's made-up titles."""
    if isinstance(schema, list):
        return [_relaxed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {
        key: {name: _relaxed(item) for name, item in value.items()} if key == "properties" else _relaxed(value)
        for key, value in schema.items()
        if key != "default" or value is None or isinstance(value, str | int | float | bool | list | dict)
    }
    if isinstance(out.get("title"), str) and ("type" in out or "anyOf" in out or "$ref" in out):
        del out["title"]
    if isinstance(out.get("pattern"), str):
        out["pattern"] = f"(?:{out['pattern']})|{_REFERENCE['pattern']}"
    if out.get("type") in ("integer", "number", "boolean"):
        outer = {key: out.pop(key) for key in ("description", "default", "examples") if key in out}
        return {"anyOf": [out, dict(_REFERENCE)], **outer}
    return out
