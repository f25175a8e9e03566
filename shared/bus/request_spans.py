"""The spans of requests over NATS, on both sides, and the headers that connect them."""

from functools import lru_cache
from typing import Final

from nats.aio.msg import Msg

from shared.errors import Code
from shared.runtime.tracing import Kind, Span, received

_FAULTS: Final = frozenset({Code.INTERNAL, Code.OVERLOADED, Code.TIMED_OUT, Code.UNAVAILABLE})
_MAX_SUBJECTS: Final = 1_024


def sending_span(subject: str) -> Span:
    """The span of a requester, from the request to its reply."""
    return _span(subject, Kind.CLIENT, None)


def handling_span(message: Msg) -> Span:
    """The span of a responder, a child of the requester's."""
    return _span(message.subject, Kind.SERVER, message)


def note_code(span: Span, code: str) -> None:
    """Record the code of an error reply; it is a failure unless the requester is at fault."""
    span.set("tradedad.code", code)
    if code in _FAULTS:
        span.fail(code)


def _span(subject: str, kind: Kind, message: Msg | None) -> Span:
    name, partition = _name_of(subject)
    span = Span(name, kind, parent=None if message is None else received(message.headers))
    if partition is not None:
        span.set("tradedad.partition", partition)
    return span


@lru_cache(_MAX_SUBJECTS)
def _name_of(subject: str) -> tuple[str, int | None]:
    """The subject without its partition, and the partition: names of spans must be few."""
    tokens = subject.split(".")
    numbers = [int(token) for token in tokens if token.isdecimal()]
    name = ".".join(token for token in tokens if not token.isdecimal())
    return name, numbers[0] if numbers else None
