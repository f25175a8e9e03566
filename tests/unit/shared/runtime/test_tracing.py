"""Spans are nested, sampled by their root, and exported once they have ended."""

import asyncio
from collections.abc import Iterator

import pytest

from shared.errors import NotFound, Unavailable
from shared.runtime.trace_context import TraceContext
from shared.runtime.tracing import (
    Kind,
    Span,
    add_trace_ids,
    current,
    export_to,
    received,
    sampled_here,
)

SENDER = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", is_sampled=True)


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    spans: list[Span] = []
    export_to(spans.append, 1.0)
    yield spans
    export_to(None)


def test_a_span_inside_of_another_is_its_child(exported: list[Span]) -> None:
    with Span("outer") as outer, Span("inner", Kind.CLIENT) as inner:
        assert current() == inner.context
    assert current() is None
    assert inner.context.trace_id == outer.context.trace_id
    assert (outer.parent_id, inner.parent_id) == ("", outer.context.span_id)
    assert exported == [inner, outer]
    assert 0 < outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns


def test_a_span_of_a_received_message_is_a_child_of_the_sender(exported: list[Span]) -> None:
    with Span("handle", Kind.SERVER, parent=received(SENDER.headers())) as span:
        pass
    assert (span.context.trace_id, span.parent_id) == (SENDER.trace_id, SENDER.span_id)
    assert exported == [span]


@pytest.mark.parametrize("headers", [None, {}, {"traceparent": "00-x"}, {"tracestate": "a=1"}])
def test_a_message_without_a_valid_header_has_no_sender(headers: dict[str, str] | None) -> None:
    assert received(headers) is None


async def test_tasks_have_their_own_current_span() -> None:
    async def work(name: str) -> str:
        with Span(name) as span:
            await asyncio.sleep(0)
            assert current() == span.context
            return span.context.trace_id

    assert len(set(await asyncio.gather(work("a"), work("b")))) == 2


def test_without_sampling_only_failed_spans_are_exported() -> None:
    spans: list[Span] = []
    export_to(spans.append, 0.0)
    try:
        with pytest.raises(Unavailable), Span("failed"):
            raise Unavailable("NATS is away")
        with pytest.raises(NotFound), Span("refused"):
            raise NotFound("no such order")
        with pytest.raises(ZeroDivisionError), Span("broken"):
            raise ZeroDivisionError
        with Span("well"):
            pass
    finally:
        export_to(None)
    assert [(span.name, span.error) for span in spans] == [
        ("failed", "unavailable"), ("broken", "ZeroDivisionError"),
    ]  # fmt: skip


def test_an_error_is_recorded_without_its_words(exported: list[Span]) -> None:
    with pytest.raises(NotFound), Span("find"):
        raise NotFound("no such user: me@example.com")
    (span,) = exported
    assert span.attributes == {"tradedad.code": "not_found"}


async def test_a_cancelled_span_is_not_a_failure(exported: list[Span]) -> None:
    async def wait() -> None:
        with Span("wait"):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    (span,) = exported
    assert (span.error, span.attributes) == ("", {"tradedad.code": "cancelled"})


def test_a_span_that_is_not_recorded_is_still_the_parent(exported: list[Span]) -> None:
    with Span("stream", is_recorded=False) as stream, Span("request") as request:
        pass
    assert exported == [request]
    assert request.parent_id == stream.context.span_id


def test_the_flag_of_an_outside_sender_does_not_decide() -> None:
    assert sampled_here(SENDER).is_sampled is False  # nothing is exported
    assert sampled_here(SENDER).trace_id == SENDER.trace_id


def test_about_the_given_share_of_traces_is_sampled() -> None:
    export_to(lambda _: None, 0.25)
    try:
        sampled = sum(Span("a").context.is_sampled for _ in range(4_000))
    finally:
        export_to(None)
    assert 800 < sampled < 1_200  # seven standard deviations


def test_a_log_line_inside_of_a_span_has_its_ids() -> None:
    assert add_trace_ids(None, "info", {"event": "a"}) == {"event": "a"}
    with Span("work") as span:
        line = add_trace_ids(None, "info", {"event": "a"})
    ids = {"trace_id": span.context.trace_id, "span_id": span.context.span_id}
    assert line == {"event": "a", **ids}
