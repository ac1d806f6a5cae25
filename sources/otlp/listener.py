"""OTLP over gRPC: `LogsService/Export`.

gRPC's own server (grpcio) does HTTP/2; messages are given on as bytes, to the reader that HTTP has. The call is treated
as a stream, so that nothing is read before its sender is let in and there is room: gRPC's flow control makes it wait.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import unquote

import anyio
import anyio.to_thread
import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from ...plugins import DeniedError, FatalError, LimitError, Outlet, RejectedError, RetryableError
from ..network import TlsFiles

SERVICE: Final = "opentelemetry.proto.collector.logs.v1.LogsService"
IN_FLIGHT: Final = 256 * 1024 * 1024
"""Bytes that messages may take at once: so many of the largest are read, the others wait."""
_MOST_CALLS: Final = 1000  # that wait for room; each costs little before its message is read
_ROOM_S: Final = 5.0  # how long a call waits for room before it is told to come again
_READ_S: Final = 30.0  # how long a message may take to arrive: it has room already
_GRACE_S: Final = 2.0
_HANDSHAKE_S: Final = 30.0  # until a peer has spoken TLS and HTTP/2's first frame; gRPC's own are two minutes
_SILENT_S: Final = 60.0  # after which a peer is pinged; gRPC's own are two hours
_PONG_S: Final = 20.0  # within which it answers, or has gone
_log = logging.getLogger(__name__)

Export: TypeAlias = Callable[[bytes, Outlet], Awaitable[bytes]]
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


async def serve(address: str, tls: TlsFiles | None, max_bytes: int, outlet: Outlet, export: Export) -> None:
    """Serve until cancelled; then calls that run have two seconds.

    :raises RetryableError: the address cannot be listened on now
    :raises FatalError: a certificate cannot be read or used
    """
    room = anyio.Semaphore(max(2, IN_FLIGHT // max_bytes))

    async def one(messages: AsyncIterator[bytes], context: Context) -> bytes:
        try:
            await outlet.authorise(_headers(context), _client(context.peer()))
            with anyio.move_on_after(_ROOM_S) as waiting:
                await room.acquire()
            if waiting.cancelled_caught:
                raise LimitError(
                    "too many messages are being worked on", limit="grpc_in_flight", value=IN_FLIGHT, after=1
                )  # fmt: skip
            try:
                with anyio.fail_after(_READ_S):
                    message = await anext(aiter(messages), None)
                if message is None:
                    raise RejectedError("the call has no message")
                return await export(message, outlet)
            finally:
                room.release()
        except Exception as why:
            await _refuse(context, why)

    handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(one)
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_bytes),
            ("grpc.so_reuseport", 0),  # two processes would share the address and not notice
            ("grpc.max_metadata_size", 16 * 1024),
            ("grpc.max_concurrent_streams", 100),
            ("grpc.server_handshake_timeout_ms", int(_HANDSHAKE_S * 1000)),
            ("grpc.keepalive_time_ms", int(_SILENT_S * 1000)),
            ("grpc.keepalive_timeout_ms", int(_PONG_S * 1000)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.ping_timeout_ms", int(_PONG_S * 1000)),
        ],
        maximum_concurrent_rpcs=_MOST_CALLS,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
    credentials = await anyio.to_thread.run_sync(_credentials, tls) if tls else None
    try:
        if credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, credentials)
    except RuntimeError as why:
        raise RetryableError(f"gRPC cannot listen on {address}: is it taken? ({why})") from why
    try:
        await server.start()
        outlet.started()
        _log.info("OTLP is served by gRPC on %s", address)
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * _GRACE_S):
            await server.stop(_GRACE_S)


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Blocking. Python's own TLS looks at the files first: gRPC would only say that it cannot listen.

    :raises FatalError: a file cannot be read, or is no such thing
    """
    ca = tls.client_ca_file
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        pair = tls.key_file.read_bytes(), tls.cert_file.read_bytes()
        roots = ca.read_bytes() if ca else None
    except OSError as why:
        files = ", ".join(str(path) for path in (tls.cert_file, tls.key_file, ca) if path)
        raise FatalError(f"one of {files} is not there, or no PEM that belongs to the others: {why}") from why
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)


def _headers(context: Context) -> Mapping[str, str]:
    return {str(name): value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


def _client(peer: str) -> str:
    """The host of `ipv4:127.0.0.1:50312` or `ipv6:%5B::1%5D:50312`."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")


async def _refuse(context: Context, why: Exception) -> NoReturn:
    """End the call as the specification of OTLP wants it: what may be sent again says so, and when."""
    code, after = grpc.StatusCode.INTERNAL, None
    match why:
        case DeniedError():
            code = grpc.StatusCode.PERMISSION_DENIED if why.known else grpc.StatusCode.UNAUTHENTICATED
        case RejectedError():
            code = grpc.StatusCode.INVALID_ARGUMENT
        case LimitError():
            code, after = grpc.StatusCode.RESOURCE_EXHAUSTED, why.after
        case RetryableError():
            code, after = grpc.StatusCode.UNAVAILABLE, why.after or 1.0
        case TimeoutError():
            code, after = grpc.StatusCode.UNAVAILABLE, 1.0
        case _:
            _log.error("a call failed", exc_info=why)
            await context.abort(code, "something is wrong in the server; its log says more")
    if after is not None:
        delay = Duration()
        delay.FromNanoseconds(int(after * 1e9))
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=delay))
        status = Status(code=code.value[0], message=str(why), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    await context.abort(code, str(why))
