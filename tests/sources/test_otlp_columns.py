"""OTLP's protobuf read column by column is what it is record by record."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cordwood.sources.otlp import read_protobuf
from cordwood.sources.otlp.columns import read_columns
from cordwood.sources.wire import OddError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

AT = 1_769_860_800_000_000_123
_TEXTS = st.one_of(st.sampled_from(["", "warn", "a" * 12, "b" * 13]), st.text(max_size=30))
_KEYS = st.sampled_from(
    ["n", "user", "message", "event.name", "trace_flags", "region", "service.name", "n#int", "é", ""]
)
_VALUES = st.one_of(
    st.builds(lambda text: AnyValue(string_value=text), _TEXTS),
    st.builds(lambda number: AnyValue(int_value=number), st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda number: AnyValue(double_value=number), st.floats()),
    st.builds(lambda truth: AnyValue(bool_value=truth), st.booleans()),
    st.just(AnyValue()),
    st.just(AnyValue(bytes_value=b"\0")),
)
_PAIRS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_RECORD = st.builds(
    lambda attributes, **told: LogRecord(attributes=[KeyValue(key=k, value=v) for k, v in attributes.items()], **told),
    attributes=_PAIRS,
    time_unix_nano=st.integers(0, 2**64 - 1),
    observed_time_unix_nano=st.integers(0, 2**64 - 1),
    severity_number=st.integers(0, 25),
    severity_text=_TEXTS,
    body=_VALUES,
    flags=st.integers(0, 2**32 - 1),
    dropped_attributes_count=st.integers(0, 3),
    trace_id=st.binary(max_size=16),
    event_name=_TEXTS,
)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(_PAIRS, _TEXTS, st.lists(_RECORD, max_size=4)), max_size=3),
    st.integers(0, 2**16),
    st.binary(max_size=3),
)
def test_columns_are_what_records_are(logs: list[Any], at: int, noise: bytes) -> None:
    """Requests of all kinds, and such ones with some bytes changed."""
    made = ExportLogsServiceRequest()
    for attributes, scope, told in logs:
        resource = made.resource_logs.add()
        for key, inner in attributes.items():
            resource.resource.attributes.add(key=key).value.CopyFrom(inner)
        within = resource.scope_logs.add(log_records=told)
        within.scope.name = scope
    whole = made.SerializeToString()
    at %= len(whole) + 1
    for body in (whole, whole[:at] + noise + whole[at + len(noise) :]):
        with suppress(OddError):
            assert read_columns(body, AT).events() == read_protobuf(body, AT).events()


def test_columns_are_read_of_a_usual_request() -> None:
    made = ExportLogsServiceRequest()
    for service in ("shop", "cart"):
        logs = made.resource_logs.add()
        logs.resource.attributes.add(key="service.name").value.string_value = service
        scope = logs.scope_logs.add()
        scope.scope.name = "lib"
        for i in range(300):
            record = scope.log_records.add(
                time_unix_nano=AT + i, severity_number=9, severity_text="Information", trace_id=bytes(range(16))
            )
            record.body.string_value = f"a message with the number {i}"
            took = record.attributes.add(key="took").value
            if i % 2:
                took.int_value = -i
            else:
                took.double_value = i / 3
            record.attributes.add(key="http.route").value.string_value = "/cart"
            record.attributes.add(key="retried").value.bool_value = i % 3 == 0
    body = made.SerializeToString()
    assert read_columns(body, AT).events() == read_protobuf(body, AT).events()
