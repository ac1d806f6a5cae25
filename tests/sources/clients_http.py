"""Clients over a kill that send in batches: Elasticsearch's and OpenSearch's helpers, OpenTelemetry's SDK, Firehose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import boto3
import elasticsearch.helpers
import opensearchpy.helpers
from botocore.exceptions import ClientError
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.resources import Resource

from ..conftest import free_port
from ..objectstore import S3Server
from .killing import GIVE_UP_S, Client, Loss, Send, Stage

BATCH = 250


def bulk(package: Any, client_class: Any) -> Callable[[Stage], AbstractContextManager[Send]]:
    """A bulk helper; a chunk that fails is sent again as it was, ids and all."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        documents: list[dict[str, Any]] = []
        with client_class(stage.server.url, max_retries=0) as client:

            def flush() -> None:
                until = time.monotonic() + GIVE_UP_S
                while documents:
                    try:
                        assert package.helpers.bulk(client, documents, chunk_size=BATCH) == (len(documents), [])
                        documents.clear()
                    except package.TransportError:
                        assert time.monotonic() < until
                        time.sleep(0.1)

            def send(n: int) -> None:
                documents.append({"_index": "logs", "_id": str(n), "service": "shop", "message": stage.text(n)})
                if len(documents) == BATCH:
                    flush()

            yield send
            flush()

    return opened


def sdk(exporter: Callable[[Stage], Any]) -> Callable[[Stage], AbstractContextManager[Send]]:
    """OpenTelemetry's SDK; its exporter retries by itself, six times in half a minute, and then says what it drops."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        made = exporter(stage)
        plain = made.export

        def export(batch: Sequence[Any]) -> LogRecordExportResult:
            result: LogRecordExportResult = plain(batch)
            if result is not LogRecordExportResult.SUCCESS:
                stage.refused |= {int(one.log_record.body.rpartition(" ")[2]) for one in batch}
            return result

        made.export = export
        provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
        provider.add_log_record_processor(
            BatchLogRecordProcessor(made, max_queue_size=20_000, max_export_batch_size=BATCH, schedule_delay_millis=100)
        )
        logger = provider.get_logger("shop")
        yield lambda n: logger.emit(
            LogRecord(timestamp=time.time_ns(), severity_number=SeverityNumber.INFO, body=stage.text(n))
        )
        assert provider.force_flush(GIVE_UP_S * 1000)
        provider.shutdown()

    return opened


@contextmanager
def firehose(stage: Stage) -> Iterator[Send]:
    """boto3 and moto's Firehose, which fails where its endpoint does: the client then puts the records again."""
    server = S3Server(free_port(), stage.folder / "said")
    stage.daemons.callback(server.stop)
    account = {"aws_access_key_id": "test", "aws_secret_access_key": "hush", "region_name": "eu-west-1"}
    client = boto3.client("firehose", endpoint_url=server.url, **account)
    target = {
        "EndpointConfiguration": {"Url": f"{stage.server.url}/aws/firehose"},
        "S3Configuration": {"RoleARN": "arn:aws:iam::123456789012:role/x", "BucketARN": "arn:aws:s3:::x"},
    }
    client.create_delivery_stream(DeliveryStreamName="kill", HttpEndpointDestinationConfiguration=target)
    records: list[dict[str, bytes]] = []

    def flush() -> None:
        until = time.monotonic() + GIVE_UP_S
        while records:
            try:
                client.put_record_batch(DeliveryStreamName="kill", Records=records)
                records.clear()
            except ClientError:
                assert time.monotonic() < until
                time.sleep(0.1)

    def send(n: int) -> None:
        records.append({"Data": stage.text(n).encode()})
        if len(records) == BATCH:
            flush()

    yield send
    flush()
    client.close()


def grpc(stage: Stage) -> GrpcExporter:
    return GrpcExporter(f"127.0.0.1:{stage.port}", insecure=True, timeout=GIVE_UP_S)


def http(stage: Stage) -> HttpExporter:
    return HttpExporter(f"{stage.server.url}/v1/logs", timeout=GIVE_UP_S)


HTTP: Mapping[str, Client] = {
    # A chunk with ids that comes again is stored once; OTLP has no such ids.
    "elasticsearch": Client(bulk(elasticsearch, elasticsearch.Elasticsearch), Loss.NOTHING),
    "opensearch": Client(bulk(opensearchpy, opensearchpy.OpenSearch), Loss.NOTHING),
    "otlp-http": Client(sdk(http), Loss.REFUSED, again=BATCH),
    "otlp-grpc": Client(
        sdk(grpc), Loss.REFUSED, lambda stage: {"type": "otlp", "grpc": f"127.0.0.1:{stage.port}"}, again=BATCH
    ),
    # Firehose itself says again which delivery it is; moto gives each attempt a name of its own.
    "firehose": Client(firehose, Loss.NOTHING, again=BATCH),
}
