"""The spans of requests over NATS have names of few values, and follow the requester."""

from typing import cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.request_spans import handling_span, note_code, sending_span


@pytest.mark.parametrize(
    ("subject", "name", "partition"),
    [
        ("trading.3.place", "trading.place", 3),
        ("trading.admin.switches", "trading.admin.switches", None),
        ("history.bars", "history.bars", None),
    ],
)
def test_a_partition_is_an_attribute_and_not_in_the_name(
    subject: str, name: str, partition: int | None
) -> None:
    span = sending_span(subject)
    assert span.name == name
    assert span.attributes.get("tradedad.partition") == partition


def test_a_responder_continues_the_trace_of_the_requester() -> None:
    sending = sending_span("history.bars")
    headers = sending.context.headers()
    message = Msg(cast("Client", None), "history.bars", "", b"", headers)
    handling = handling_span(message)
    assert handling.context.trace_id == sending.context.trace_id
    assert handling.parent_id == sending.context.span_id


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("not_found", ""),
        ("order_refused", ""),
        ("unavailable", "unavailable"),
        ("internal", "internal"),
    ],
)
def test_only_a_fault_of_the_service_is_a_failure(code: str, error: str) -> None:
    span = sending_span("history.bars")
    note_code(span, code)
    assert (span.attributes["tradedad.code"], span.error) == (code, error)
