"""The bytes that the output otlp makes column by column are those of protobuf's own objects, made event by event."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from cordwood.outputs.otlp import export_request
from cordwood.outputs.rendering import events, value_of
from cordwood.plugins import STANDARD, Batch
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

KEPT = {"source": "cordwood.source", "parse_error": "cordwood.parse_error"}
VALUES = (
    0, -1, 127, 128, 2**62, -(2**63), 1.5, -0.0, 0.0, 1e300, "", "x" * 300, "ü", True, False, [1, "a", {"b": None}], [],
    None,
)  # fmt: skip
IDENTIFIERS = {"trace_id": 32, "span_id": 16}


def any_value(value: Any) -> AnyValue:
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case str():
            made.string_value = value
        case list():
            made.array_value.SetInParent()
            made.array_value.values.extend(map(any_value, value))
        case dict():
            made.kvlist_value.SetInParent()
            for name, item in value.items():
                added = made.kvlist_value.values.add(key=name)
                if item is not None:
                    added.value.CopyFrom(any_value(item))
    return made


def slowly(batch: Batch) -> ExportLogsServiceRequest:
    request, scopes = ExportLogsServiceRequest(), {}
    numbers = (batch.frame[name].to_physical().fill_null(0) for name in ("timestamp", "observed_timestamp", "severity"))
    for event, time, observed, severity in zip(events(batch, value_of), *numbers, strict=True):
        at = event.get("service", ""), event.get("host", "")
        if at not in scopes:
            resource = request.resource_logs.add()
            for name, value in zip(("service.name", "host.name"), at, strict=True):
                if value:
                    resource.resource.attributes.add(key=name).value.string_value = value
            scopes[at] = resource.scope_logs.add()
        record = scopes[at].log_records.add(
            time_unix_nano=max(0, time), observed_time_unix_nano=max(0, observed), severity_number=severity,
            severity_text=event.get("severity_text", ""),
        )  # fmt: skip
        if "message" in event:
            record.body.string_value = event["message"]
        for name, length in IDENTIFIERS.items():
            value = event.get(name, "")
            if len(value) == length and set(value) <= set("0123456789abcdef"):
                setattr(record, name, bytes.fromhex(value))
            elif value:
                record.attributes.add(key=name).value.string_value = value
        for name, value in event.items():
            if name not in STANDARD or name in KEPT:
                record.attributes.add(key=KEPT.get(name, name)).value.CopyFrom(any_value(value))
    return request


def in_order(request: ExportLogsServiceRequest) -> ExportLogsServiceRequest:
    """The order of attributes says nothing."""
    for resource in request.resource_logs:
        for record in resource.scope_logs[0].log_records:
            found = sorted(record.attributes, key=lambda one: one.key)
            del record.attributes[:]
            record.attributes.extend(found)
    return request


@pytest.mark.parametrize("seed", range(20))
def test_the_request_is_that_of_protobuf(seed: int) -> None:
    chance = random.Random(seed)
    standard = {
        "message": ("m", "", "long" * 100), "service": ("a", "b", ""), "host": ("h", ""), "level": ("info", "error"),
        "trace_id": ("", "zz", "0af7651916cd43dd8448eb211c80319c", "g" * 32), "span_id": ("0af7651916cd43dd", "x"),
        "timestamp": ("2026-01-31T12:00:00Z", "1960-01-01T00:00:00Z", "nonsense"),
    }  # fmt: skip
    for _ in range(10):
        records = [
            {name: chance.choice(values) for name, values in standard.items() if chance.random() < 0.5}
            | {name: chance.choice(VALUES) for name in "pqrs" if chance.random() < 0.6}
            for _ in range(chance.randrange(1, 30))
        ]
        lines = "\n".join(map(json.dumps, records)).encode()
        batch = Batch.from_ndjson(lines).with_default(source="test")
        made = ExportLogsServiceRequest.FromString(export_request(batch))
        assert in_order(made) == in_order(slowly(batch))
