"""A span for each request, sent to an OpenTelemetry collector: optional, with the extra ``otel``.

Where spans go is told by OpenTelemetry's own environment variables, e.g. ``OTEL_EXPORTER_OTLP_ENDPOINT``. A request
that carries ``traceparent`` continues its caller's trace (OJS Distributed Tracing).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

_ID: Final = re.compile(r"/jobs/([0-9a-f-]{36})")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def tracer(exporter: SpanExporter | None = None) -> Tracer:
    """OpenTelemetry's tracer over an exporter; by default to the collector that the environment names.

    Raises:
        ImportError: The extra is not installed.
    """
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "ojs-playground"}))
    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("ojs-playground")


class Traced:
    """A WSGI application whose requests are spans.

    Args:
        front: The application.
        tracer: Makes the spans.
    """

    def __init__(self, front: Application, tracer: Tracer) -> None:
        self._front = front
        self._tracer = tracer

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer one request within a span; that of a stream ends when it begins."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - as above
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        carried = {
            "traceparent": environ.get("HTTP_TRACEPARENT", ""),
            "tracestate": environ.get("HTTP_TRACESTATE", ""),
        }
        parent = TraceContextTextMapPropagator().extract({key: text for key, text in carried.items() if text})
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        name = f"{method} {_ID.sub('/jobs/{id}', path)[:200]}"
        with self._tracer.start_as_current_span(name, parent, SpanKind.SERVER) as span:
            span.set_attributes({"http.request.method": method, "url.path": path[:500]})

            def told(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                span.set_attribute("http.response.status_code", int(status[:3]))
                sent = {key.lower(): value for key, value in headers}
                if "x-request-id" in sent:
                    span.set_attribute("ojs.request_id", sent["x-request-id"])
                if found := _ID.search(sent.get("location", path)):
                    span.set_attribute("ojs.job.id", found[1])
                return start(status, headers, *more)

            return self._front(environ, told)
