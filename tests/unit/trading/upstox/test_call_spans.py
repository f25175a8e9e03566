"""The spans of calls to Upstox have the SDK's name of the call, and no argument of it."""

from functools import partial

import pytest

from services.trading.upstox.answers import Answer, Lost, Refused, Taken
from services.trading.upstox.call_spans import call_span, note_answer


def place_order(body: object) -> None:
    raise NotImplementedError


@pytest.mark.parametrize("call", [place_order, partial(place_order, {"price": 1})])
def test_a_span_is_named_by_the_method(call: object) -> None:
    assert callable(call)
    span = call_span(call)
    assert (span.name, span.attributes) == ("upstox place_order", {})


@pytest.mark.parametrize(
    ("answer", "kind", "error"),
    [
        (Taken("1"), "taken", ""),
        (Refused("UDAPI1", "no funds"), "refused", ""),
        (Lost("no answer"), "lost", "lost"),
    ],
)
def test_only_a_lost_answer_is_a_failure(answer: Answer, kind: str, error: str) -> None:
    span = call_span(place_order)
    note_answer(span, answer)
    assert (span.attributes["tradedad.answer"], span.error) == (kind, error)
