"""Firehose's endpoint: records, CloudWatch's messages, bombs, ids; and boto3 through moto's Firehose to a server."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import boto3
import pytest
from cordwood.plugins import RejectedError
from cordwood.plugins.conformance import http_source_contract
from cordwood.sources import aws_firehose
from cordwood.sources.aws_firehose import AwsFirehose, AwsFirehoseConfig

from ..conftest import Server
from ..objectstore import S3Server
from .wire import received, request

pytestmark = pytest.mark.anyio
TIME = "2026-01-31T12:00:00.000000000Z"
CLOUDWATCH = {
    "messageType": "DATA_MESSAGE",
    "owner": "123456789012",
    "logGroup": "/aws/lambda/shop",
    "logStream": "2026/01/31/[$LATEST]ab",
    "subscriptionFilters": ["all"],
    "logEvents": [
        {"id": "1", "timestamp": 1769860800000, "message": "one }{ two\n"},
        {"id": "2", "timestamp": 1769860800001, "message": "ü", "extractedFields": {"level": "warn"}},
    ],
}
CONTROL = CLOUDWATCH | {"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 0, "message": "check"}]}
OF_ALL = {
    "logGroup": "/aws/lambda/shop", "logStream": "2026/01/31/[$LATEST]ab", "owner": "123456789012",
    "subscriptionFilters": ["all"],
}  # fmt: skip
EVENTS = [
    OF_ALL | {"timestamp": TIME, "id": "1", "message": "one }{ two\n"},
    OF_ALL | {"timestamp": TIME.replace(".000", ".001"), "id": "2", "message": "ü", "extractedFields.level": "warn"},
]


def packed(*values: object) -> bytes:
    return gzip.compress(b"".join(json.dumps(value).encode() for value in values))


def delivery(*records: bytes, request_id: str = "ab-1") -> bytes:
    data = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"requestId": request_id, "timestamp": 1769860800000, "records": data}).encode()


test_contract = http_source_contract(
    AwsFirehose, [(request("/aws/firehose", delivery(b"a\nb", packed(CLOUDWATCH))), 4)]
)


async def sent(body: bytes, **headers: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    named = {f"x-amz-firehose-{name.replace('_', '-')}": value for name, value in headers.items()}
    answer, events = await received(AwsFirehose(AwsFirehoseConfig()), request("/aws/firehose", body, headers=named))
    return answer.status, json.loads(answer.body), events


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(packed(CLOUDWATCH), id="gzip"),
        pytest.param(json.dumps(CLOUDWATCH, indent=2).encode(), id="plain"),
    ],
)
async def test_messages_of_cloudwatch(record: bytes) -> None:
    status, answer, events = await sent(delivery(packed(CONTROL), record), request_id="ab-1")
    assert (status, answer["requestId"], answer["timestamp"] > 1769860800000) == (200, "ab-1", True)
    assert "errorMessage" not in answer
    assert events == EVENTS


async def test_two_messages_of_cloudwatch_behind_each_other() -> None:
    plain = CLOUDWATCH | {"logEvents": [{"timestamp": 1769860800000, "message": "m"}]}
    for record in (packed(plain, CONTROL, plain), packed(plain) + packed(CONTROL) + packed(plain)):
        _, _, events = await sent(delivery(record))
        assert [event["message"] for event in events] == ["m", "m"]


async def test_lines_and_objects() -> None:
    records = [
        b"text\nmore\n",
        b'{"message":"a","n":1}\n{"message":"b"}',
        b'{"message":\n"pretty"}',
        b"",
        b'{"cut":',
        b"\xff",
    ]
    _, _, events = await sent(delivery(*records))
    assert [event["message"] for event in events] == ["text", "more", "a", "b", "pretty", '{"cut":', "\\xff"]
    assert ["parse_error" in event for event in events] == [False] * 5 + [True, False]


async def test_common_attributes() -> None:
    common = json.dumps({"commonAttributes": {"env": "prod", "service": "shop", "message": "x", "n": "2"}})
    body = delivery(b'{"message":"a","n":1}')
    _, _, (event,) = await sent(body, common_attributes=common, source_arn="arn:aws:firehose:eu:1:deliverystream/x")
    del event["timestamp"]
    assert event == {
        "message": "a", "n": 1, "service": "shop", "env": "prod", "commonAttributes.message": "x",
        "commonAttributes.n": "2", "aws.firehose.arn": "arn:aws:firehose:eu:1:deliverystream/x",
    }  # fmt: skip


async def test_records_that_cannot_be_unpacked_are_kept() -> None:
    good = base64.b64encode(b"good").decode()
    bad = ["no base64!", base64.b64encode(packed(CLOUDWATCH)[:-9]).decode(), good]
    many = base64.b64encode(gzip.compress(b"") * (aws_firehose.MAX_MEMBERS + 1)).decode()
    body = {"requestId": "x", "records": [{"data": data} for data in [*bad, many]]}
    _, _, events = await sent(json.dumps(body).encode())
    assert [event["message"] for event in events] == [*bad[:2], "good", many]
    assert ["parse_error" in event for event in events] == [True, True, False, True]


async def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_firehose, "MAX_UNPACKED", 1_000_000)
    half = gzip.compress(bytes(600_000))
    for body in (delivery(gzip.compress(bytes(50_000_000))), delivery(half, half), delivery(half + half)):
        status, answer, events = await sent(body)
        assert (status, answer["requestId"], events) == (413, "ab-1", [])
        assert "unpack" in answer["errorMessage"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"{}", {}, id="no-id"),
        pytest.param(b'{"requestId":"x","records":5}', {}, id="no-records"),
        pytest.param(b'{"requestId":"x","records":[{"data":7}]}', {}, id="no-text"),
        pytest.param(b"[" * 100_000, {}, id="deep"),
        pytest.param(delivery(b"a", request_id="x" * 200), {}, id="long-id"),
        pytest.param(delivery(b"a"), {"request_id": "another"}, id="another-id"),
        pytest.param(delivery(b"a"), {"common_attributes": "nonsense"}, id="attributes"),
    ],
)
async def test_what_is_no_delivery_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(RejectedError):
        await sent(body, **headers)


def test_refusals() -> None:
    refusal = AwsFirehose(AwsFirehoseConfig()).refusal({"x-amz-firehose-request-id": "ab-1"}, 429, "later")
    answer = json.loads(refusal.body)
    assert (refusal.status, answer["requestId"], answer["errorMessage"]) == (429, "ab-1", "later")


def test_boto3_through_motos_firehose_to_a_server(server: Server, s3_server: S3Server) -> None:
    account = {"aws_access_key_id": "test", "aws_secret_access_key": "hush", "region_name": "eu-west-1"}
    firehose = boto3.client("firehose", endpoint_url=s3_server.url, **account)
    url = f"{server.url}/aws/firehose"
    target = {
        "EndpointConfiguration": {"Url": url},
        "S3Configuration": {"RoleARN": "arn:aws:iam::123456789012:role/x", "BucketARN": "arn:aws:s3:::x"},
    }
    firehose.create_delivery_stream(DeliveryStreamName="logs", HttpEndpointDestinationConfiguration=target)
    records = [{"Data": json.dumps({"message": f"fh {n}", "service": "shop"}).encode()} for n in range(400)]
    firehose.put_record_batch(DeliveryStreamName="logs", Records=[*records, {"Data": json.dumps(CLOUDWATCH)}])
    firehose.close()
    assert server.query("service:shop | stats count() as n") == [{"n": 400}]
    assert server.query('logGroup:"/aws/lambda/shop" | stats count() as n') == [{"n": 2}]
    for _ in range(2):
        assert server.call("POST", "/aws/firehose", delivery(b"once", request_id="once"))[0] == 200
    assert server.query("once | stats count() as n") == [{"n": 1}]
    status, body = server.call("POST", "/aws/firehose", b"{}", {"X-Amz-Firehose-Request-Id": "7"})
    assert (status, json.loads(body)["requestId"]) == (400, "7")
