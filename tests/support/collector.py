"""A collector of OpenTelemetry: takes spans by OTLP over HTTP."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from embedded.ports import HOST, free_ports


@dataclass(frozen=True)
class ReceivedSpan:
    """One span, with the name of its service."""

    service: str
    message: Span

    @property
    def name(self) -> str:
        """Its name."""
        return self.message.name

    @property
    def trace_id(self) -> str:
        """In hexadecimal digits."""
        return self.message.trace_id.hex()

    @property
    def span_id(self) -> str:
        """In hexadecimal digits."""
        return self.message.span_id.hex()

    @property
    def parent_id(self) -> str:
        """In hexadecimal digits; empty for none."""
        return self.message.parent_span_id.hex()

    @property
    def attributes(self) -> dict[str, str | int]:
        """Their values by name."""
        return _values(self.message.attributes)


@dataclass
class Collector:
    """What was received, and how the next requests are answered.

    A process that ends before it has read an answer sends the same spans again. They are kept once.
    """

    url: str
    spans: list[ReceivedSpan] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Answers of the next requests, whose spans are not taken."""
    rejected: int = 0
    """Spans of each request that are reported as rejected."""
    _ids: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        """Handle one export."""
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = str(_values(of_process.resource.attributes)["service.name"])
            for of_scope in of_process.scope_spans:
                for span in of_scope.spans:
                    self._keep(ReceivedSpan(service, span))
        answer = ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = self.rejected
        return web.Response(body=answer.SerializeToString(), content_type="application/x-protobuf")

    def _keep(self, span: ReceivedSpan) -> None:
        if span.span_id not in self._ids:
            self._ids.add(span.span_id)
            self.spans.append(span)

    def of_trace(self, trace_id: str) -> dict[str, ReceivedSpan]:
        """The spans of one trace, by service and name."""
        return {
            f"{span.service} {span.name}": span for span in self.spans if span.trace_id == trace_id
        }


@asynccontextmanager
async def running_collector(port: int | None = None) -> AsyncIterator[Collector]:
    """A collector at a free port, or at `port`."""
    if port is None:
        (port,) = free_ports(1)
    collector = Collector(f"http://{HOST}:{port}")
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield collector
    finally:
        await runner.cleanup()


def _values(attributes: Iterable[KeyValue]) -> dict[str, str | int]:
    return {
        one.key: one.value.int_value
        if one.value.WhichOneof("value") == "int_value"
        else one.value.string_value
        for one in attributes
    }
