"""Spans as the protobuf messages of OTLP."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from shared.runtime.tracing import Span

SCOPE: Final = "tradedad"

_SAMPLED: Final = 0x01


def encode(spans: Iterable[Span], resource: Mapping[str, str]) -> bytes:
    """The body of one export; `resource` describes this process."""
    request = ExportTraceServiceRequest()
    of_process = request.resource_spans.add()
    of_process.resource.attributes.extend(map(_attribute, resource, resource.values()))
    of_scope = of_process.scope_spans.add()
    of_scope.scope.name = SCOPE
    of_scope.spans.extend(map(_message, spans))
    return request.SerializeToString()


def rejected_spans(body: bytes) -> tuple[int, str]:
    """How many spans of an accepted export the collector rejects, and why.

    Raises protobuf's DecodeError.
    """
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    return partial.rejected_spans, partial.error_message


def _message(span: Span) -> SpanMessage:
    context = span.context
    message = SpanMessage(
        trace_id=bytes.fromhex(context.trace_id),
        span_id=bytes.fromhex(context.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        trace_state=context.state,
        flags=_SAMPLED if context.is_sampled else 0,
        name=span.name,
        kind=cast("SpanMessage.SpanKind.ValueType", int(span.kind)),
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=map(_attribute, span.attributes, span.attributes.values()),
    )
    if span.error:
        message.status.code = Status.STATUS_CODE_ERROR
        message.status.message = span.error
    return message


def _attribute(name: str, value: str | int) -> KeyValue:
    if isinstance(value, int):
        return KeyValue(key=name, value=AnyValue(int_value=value))
    return KeyValue(key=name, value=AnyValue(string_value=value))
