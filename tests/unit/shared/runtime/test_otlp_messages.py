"""Spans are encoded as OTLP defines them."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from shared.runtime.otlp_messages import encode, rejected_spans
from shared.runtime.trace_context import TraceContext
from shared.runtime.tracing import Kind, Span

SENDER = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True, "a=1")


def test_a_span_keeps_its_identity_times_attributes_and_error() -> None:
    span = Span("GET /v1/orders", Kind.SERVER, parent=SENDER)
    span.set("http.route", "/v1/orders")
    span.set("http.response.status_code", 503)
    span.fail("unavailable")
    span.start_ns, span.end_ns = 1_000, 2_000
    request = ExportTraceServiceRequest.FromString(encode([span], {"service.name": "gateway"}))
    (of_process,) = request.resource_spans
    assert of_process.resource.attributes[0].value.string_value == "gateway"
    (message,) = of_process.scope_spans[0].spans
    assert message.trace_id.hex() == SENDER.trace_id
    assert message.span_id.hex() == span.context.span_id
    assert message.parent_span_id.hex() == SENDER.span_id
    assert message.trace_state == "a=1"
    assert message.kind == SpanMessage.SPAN_KIND_SERVER
    assert (message.start_time_unix_nano, message.end_time_unix_nano) == (1_000, 2_000)
    assert [one.key for one in message.attributes] == [
        "http.route", "http.response.status_code", "error.type",
    ]  # fmt: skip
    assert message.attributes[1].value.int_value == 503
    assert (message.status.code, message.status.message) == (
        Status.STATUS_CODE_ERROR, "unavailable",
    )  # fmt: skip


def test_the_first_span_of_a_trace_has_no_parent() -> None:
    request = ExportTraceServiceRequest.FromString(encode([Span("a")], {}))
    (message,) = request.resource_spans[0].scope_spans[0].spans
    assert message.parent_span_id == b""
    assert message.status.code == Status.STATUS_CODE_UNSET


def test_every_kind_has_the_number_of_otlp() -> None:
    assert {f"SPAN_KIND_{kind.name}": int(kind) for kind in Kind} == {
        name: number for name, number in SpanMessage.SpanKind.items() if number
    }


def test_rejected_spans_are_read_from_the_answer() -> None:
    answer = ExportTraceServiceResponse()
    assert rejected_spans(answer.SerializeToString()) == (0, "")
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "too old"
    assert rejected_spans(answer.SerializeToString()) == (2, "too old")
