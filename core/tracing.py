"""OpenTelemetry traces of requests: an ingest with its pipeline and commit, a query with its catalog and execution.

They are made where `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) is set, by OpenTelemetry's own SDK, which
reads every `OTEL_…` variable; it is the extra `cordwood[otel]`, imported only then. A `traceparent` that comes is taken
over. No span has a query's text, an event, or a query string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, TypeAlias

from .. import __version__
from ..plugins.errors import ConfigError

Told: TypeAlias = Callable[[Mapping[str, str | int]], None]
"""Adds attributes to the span."""
_NAMED: Final = 4
"""Parts of a path that are in the name of a span: what follows are names and ids."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Tracing:
    """No traces: what all that is traced is given where nobody wants any."""

    def request(self, method: str, path: str, headers: Mapping[str, str]) -> AbstractContextManager[Told]:
        """The span of an HTTP request, a child of the one that its `traceparent` names."""
        return nullcontext(_nothing)

    def span(self, name: str) -> AbstractContextManager[Told]:
        """A span within the one that goes on in this task."""
        return nullcontext(_nothing)

    def begun(self, name: str) -> Callable[[], None]:
        """The same, ended by a call, whoever makes it."""
        return _nothing

    def close(self) -> None:
        """Send what is left. Blocking."""


def _nothing(_: object = None) -> None: ...


class OtelTracing(Tracing):
    """Traces by OpenTelemetry's SDK."""

    def __init__(self, environment: Mapping[str, str], role: str) -> None:
        """:raises ConfigError: the SDK is not installed"""
        try:
            from opentelemetry import trace
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

            exporter = _exporter(environment)
        except ImportError as why:
            raise ConfigError(
                f"{' or '.join(_ENDPOINTS)} is set, and OpenTelemetry's SDK is not installed ({why.name})",
                hint="pip install 'cordwood[otel]', or unset it",
            ) from None
        own = {"service.name": "cordwood", "service.version": __version__, "cordwood.role": role}
        if name := environment.get("OTEL_SERVICE_NAME"):
            own["service.name"] = name
        provider = TracerProvider(resource=Resource.create(own))
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._provider = provider
        self._tracer = provider.get_tracer("cordwood", __version__)
        self._propagator, self._trace = TraceContextTextMapPropagator(), trace

    @contextmanager
    def request(self, method: str, path: str, headers: Mapping[str, str]) -> Iterator[Told]:
        """See `Tracing`."""
        around = self._propagator.extract(headers)
        kind = self._trace.SpanKind.SERVER
        about = {"http.request.method": method, "url.path": path}
        name = f"{method} {'/'.join(path.split('/')[:_NAMED])}"
        with self._tracer.start_as_current_span(name, around, kind, about) as span:
            yield span.set_attributes

    @contextmanager
    def span(self, name: str) -> Iterator[Told]:
        """See `Tracing`."""
        with self._tracer.start_as_current_span(name) as span:
            yield span.set_attributes

    def begun(self, name: str) -> Callable[[], None]:
        """See `Tracing`."""
        return self._tracer.start_span(name).end

    def close(self) -> None:
        """See `Tracing`."""
        self._provider.shutdown()


def tracing_of(environment: Mapping[str, str], role: str) -> Tracing:
    """What the environment asks for.

    :raises ConfigError: it asks for traces, and the SDK is not installed
    """
    wanted = any(environment.get(name) for name in _ENDPOINTS)
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return OtelTracing(environment, role) if wanted and not off else Tracing()


def _exporter(environment: Mapping[str, str]) -> Any:
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

        return OverGrpc()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

    return OverHttp()
