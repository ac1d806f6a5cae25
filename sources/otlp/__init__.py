"""Logs by OpenTelemetry's own protocol: what its SDKs and the Collector send, over HTTP and gRPC.

    devices: {type: otlp, grpc: "127.0.0.1:4317"}

`POST /v1/logs` takes protobuf and JSON on Cordwood's port; gRPC needs a port of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

import anyio
import msgspec
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from pydantic import Field

from ...plugins import (
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Need,
    Outlet,
    ProjectConfig,
    ProjectName,
    RejectedError,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
)
from ..network import Address, TlsFiles, certificate, tcp_free
from ..wire import OddError
from .columns import read_columns
from .json import read_json
from .records import read_request

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request: the objects of a hostile one take seventy times as much memory."""
_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}
"""gRPC's codes for HTTP's, as `google.rpc.Status` has them."""


class OtlpConfig(ProjectConfig):
    """Settings of the OpenTelemetry endpoint."""

    project: ProjectName = "default"
    """The project of what comes by gRPC; until there is one, nobody listens there. HTTP: the token's."""
    grpc: Address | None = None
    """Where gRPC listens: `127.0.0.1:4317`, or `0.0.0.0:4317` for others too. Not set: only HTTP is served."""
    tls: TlsFiles | None = None
    """Encrypts gRPC. HTTP is Cordwood's own port."""
    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024, le=MAX_BODY)
    """Bytes of a gRPC message; gRPC's own default."""


class Otlp(HttpSource[OtlpConfig]):
    """Take log records in by OpenTelemetry's protocol: `POST /v1/logs` in protobuf or JSON, and gRPC.

    Attributes of record, scope and resource become fields; `service.name` and `host.name` service and host. A body that
    is a map becomes fields too, its `message` the message. A record of JSON that is none is kept with `parse_error`.
    Protobuf is read column by column; a request with a value that is a list, a map or bytes, or with a name twice in an
    event, is Python an attribute, as JSON is.
    """

    routes: ClassVar = [("POST", "/v1/logs")]

    def __init__(self, config: OtlpConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()

    def needs(self) -> Sequence[Need]:
        """The address of gRPC and its certificate, where they are set."""
        config = self.config
        if config.grpc is None:
            return ()
        return [*([certificate("tls", config.tls)] if config.tls else []), tcp_free("grpc", config.grpc)]

    async def run(self, outlet: Outlet) -> None:
        """Serve gRPC, where it is wanted.

        :raises RetryableError: the address is taken
        :raises FatalError: a certificate cannot be read
        """
        if self.config.grpc is None:
            outlet.started()
            await anyio.sleep_forever()
        else:
            from .listener import serve  # gRPC is imported where it is wanted

            await serve(self.config.grpc, self.config.tls, self.config.max_message_bytes, outlet, self.export)

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """`google.rpc.Status`, in the encoding of the request."""
        code = _CODES.get(status, 13)
        if _media(headers) == JSON:
            return HttpResponse(status, msgspec.json.encode({"code": code, "message": detail}), JSON)
        return HttpResponse(status, Status(code=code, message=detail).SerializeToString(), PROTOBUF)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer an ExportLogsServiceResponse after the commit.

        :raises RejectedError: the body is no request
        :raises RetryableError: the store does not answer
        """
        media = _media(request.headers) or (JSON if request.body[:1] == b"{" else PROTOBUF)
        if media not in (PROTOBUF, "application/protobuf", JSON):
            return self.refusal(request.headers, 415, f"send {PROTOBUF} or {JSON}")
        if len(request.body) > MAX_BODY:
            return self.refusal(request.headers, 413, f"the body has more than {MAX_BODY} bytes: send it in parts")
        if media != JSON:
            return HttpResponse(200, await self.export(request.body, outlet), PROTOBUF)
        batch = await in_worker(_from_json, request.body, now_ns(), limiter=self._threads)
        warning = await _stored(batch, len(request.body), outlet)
        return HttpResponse(200, msgspec.json.encode({"partialSuccess": {"errorMessage": warning}} if warning else {}))

    async def export(self, body: bytes, outlet: Outlet) -> bytes:
        """Store a request in protobuf; the answer to it.

        :raises RejectedError: it is none
        :raises RetryableError: the store does not answer
        """
        batch = await in_worker(_from_protobuf, body, now_ns(), limiter=self._threads)
        answer = ExportLogsServiceResponse()
        if warning := await _stored(batch, len(body), outlet):
            answer.partial_success.error_message = warning
        return answer.SerializeToString()


async def _stored(batch: Batch, received: int, outlet: Outlet) -> str:
    """Store it; what is to be said about records that were kept as they came."""
    if len(batch):
        await (await outlet.send(batch, received=received)).committed()
    wrong = batch.frame["parse_error"].drop_nulls()
    return f"{len(wrong)} records are stored with parse_error, the first: {wrong[0]}" if len(wrong) else ""


def _from_protobuf(body: bytes, observed: int) -> Batch:
    with suppress(OddError):
        return read_columns(body, observed)
    return read_protobuf(body, observed)


def read_protobuf(body: bytes, observed: int) -> Batch:
    """The records of a request in protobuf, one after the other: the slow path of `read_columns`.

    :raises RejectedError: it is none
    """
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as why:
        raise RejectedError(f"the body is no logs request of OTLP in protobuf: {why}") from why
    return read_request(request, observed)


def _from_json(body: bytes, observed: int) -> Batch:
    request, errors = read_json(body)
    return read_request(request, observed, errors)


def _media(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


@hookimpl
def cordwood_plugins() -> list[type[Otlp]]:
    """OpenTelemetry's endpoint."""
    return [Otlp]
