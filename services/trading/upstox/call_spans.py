"""The spans of calls to Upstox: the SDK's name of the call and the kind of the answer.

Upstox does not get the trace.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from services.trading.upstox.answers import Answer, Lost
from shared.runtime.tracing import Kind, Span


def call_span(call: Callable[..., Any]) -> Span:
    """The span of one call of a method of the SDK."""
    method = call.func if isinstance(call, partial) else call
    return Span(f"upstox {method.__name__}", Kind.CLIENT)


def note_answer(span: Span, answer: Answer) -> None:
    """Record the kind of the answer to a command; a lost one is a failure."""
    kind = type(answer).__name__.lower()
    span.set("tradedad.answer", kind)
    if isinstance(answer, Lost):
        span.fail(kind)
