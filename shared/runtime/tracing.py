"""The span that the running task works on, and where finished spans go.

Every request has a trace, whether spans are exported or not: its id is in the log lines and in the
headers of what is sent. Spans are for requests, never for quotes. A name or an attribute holds no
personal data, no token and no terms of an order.
"""

import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from enum import IntEnum
from time import time_ns
from types import TracebackType
from typing import Any, Final, Literal, Self

from shared.errors import RequestError
from shared.runtime.trace_context import (
    TRACEPARENT,
    TRACESTATE,
    TraceContext,
    new_trace,
    read_context,
)

Attribute = Literal[
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.destination.name",
    "tradedad.answer",
    "tradedad.code",
    "tradedad.partition",
]
"""All attributes that a span may have."""

_CANCELLED: Final = "cancelled"
_FIRST_FAULT_STATUS: Final = 500
_RATIO_STEPS: Final = 1 << 53


class Kind(IntEnum):
    """The role of a span; the numbers are those of OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Span:
    """A context manager: the work of the running task, as a child of the span around it.

    Without a span around it, it begins a trace. An exception that leaves the block is recorded as
    an error if it is a fault of the service; only its type is.
    """

    __slots__ = (
        "_is_recorded", "_token", "attributes", "context", "end_ns", "error", "kind", "name",
        "parent_id", "start_ns",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        *,
        parent: TraceContext | None = None,
        is_recorded: bool = True,
    ) -> None:
        """`parent` is the sender of a request; by default the span is a child of the current one."""
        parent = parent or current()
        self.context = new_trace(is_sampled=_is_drawn()) if parent is None else parent.child()
        self.parent_id = "" if parent is None else parent.span_id
        self.name = name
        self.kind = kind
        self.attributes: dict[Attribute, str | int] = {}
        self.error = ""
        """The code or the type of the error; empty for none."""
        self.start_ns = 0
        self.end_ns = 0
        self._is_recorded = is_recorded
        self._token: Token[TraceContext | None] | None = None

    def set(self, name: Attribute, value: str | int) -> None:
        """Set an attribute of a span that is exported."""
        if self._is_recorded:
            self.attributes[name] = value

    def fail(self, error: str) -> None:
        """Mark as failed; a failed span is exported even if its trace is not sampled."""
        self.error = error
        self.attributes["error.type"] = error

    def __enter__(self) -> Self:
        self._token = _current.set(self.context)
        self.start_ns = time_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if error is not None and not self.error:
            self._note(error)
        if _export is not None and self._is_recorded and (self.context.is_sampled or self.error):
            self.end_ns = time_ns()
            _export(self)

    def _note(self, error: BaseException) -> None:
        if isinstance(error, RequestError):
            self.set("tradedad.code", error.code.value)
            if error.status >= _FIRST_FAULT_STATUS:
                self.fail(error.code.value)
        elif isinstance(error, Exception):
            self.fail(type(error).__name__)
        else:
            self.set("tradedad.code", _CANCELLED)


Export = Callable[[Span], None]

_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)
_export: Export | None = None
_sample_ratio = 0.0


def current() -> TraceContext | None:
    """The span that the running task works on; None outside of requests."""
    return _current.get()


def received(headers: Mapping[str, str] | None) -> TraceContext | None:
    """The span of the sender of a message; None if its headers name none."""
    if not headers or (parent := headers.get(TRACEPARENT)) is None:
        return None
    state = headers.get(TRACESTATE)
    return read_context([parent], [] if state is None else [state])


def sampled_here(context: TraceContext) -> TraceContext:
    """The same trace, with the decision on sampling made by this process.

    Everybody can send the flag to a public address, so it must not decide what is exported.
    """
    return TraceContext(context.trace_id, context.span_id, _is_drawn(), context.state)


def export_to(export: Export | None, sample_ratio: float = 0.0) -> None:
    """Pass finished spans to `export`, which must return at once; None ends the export.

    `sample_ratio` is the share of traces begun by this process that are exported.
    """
    global _export, _sample_ratio
    _export, _sample_ratio = export, sample_ratio


def add_trace_ids(_: Any, __: str, event: Any) -> Any:
    """A processor of structlog: adds `trace_id` and `span_id` to the lines of a request."""
    context = _current.get()
    if context is not None:
        event["trace_id"], event["span_id"] = context.trace_id, context.span_id
    return event


def _is_drawn() -> bool:
    return _sample_ratio > 0 and secrets.randbelow(_RATIO_STEPS) < _sample_ratio * _RATIO_STEPS
