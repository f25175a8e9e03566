"""An outbox keeps the newest of each instrument, and nothing without bound."""

import json

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.outbox import Outbox


def test_it_announces_itself_once_until_it_is_emptied() -> None:
    calls = []
    outbox = Outbox(lambda: calls.append(1))
    outbox.put_quote("a", b"1")
    outbox.put_quote("b", b"2")
    outbox.put_answer(b"3")
    assert len(calls) == 1
    outbox.take()
    outbox.put_answer(b"4")
    assert len(calls) == 2


def test_answers_leave_before_quotes_and_in_order() -> None:
    outbox = Outbox(lambda: None)
    outbox.put_quote("a", b"{}")
    outbox.put_answer(b"one")
    outbox.put_answer(b"two")
    assert outbox.take() == ([b"one", b"two", b'{"type":"quotes","data":[{}]}'], 1)
    assert outbox.take() == ([], 0)


def test_an_unsubscribed_quote_is_not_sent() -> None:
    outbox = Outbox(lambda: None)
    outbox.put_quote("a", b"{}")
    outbox.drop_quote("a")
    assert outbox.take() == ([], 0)


def test_it_has_no_room_while_many_answers_wait() -> None:
    outbox = Outbox(lambda: None)
    for _ in range(Outbox.MAX_ANSWERS):
        assert outbox.has_room
        outbox.put_answer(b"x")
    assert not outbox.has_room
    outbox.take()
    assert outbox.has_room


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 99)), max_size=50))
def test_what_leaves_is_the_newest_of_each_instrument(puts: list[tuple[str, int]]) -> None:
    outbox = Outbox(lambda: None)
    for subject, value in puts:
        outbox.put_quote(subject, json.dumps([subject, value]).encode())
    newest = dict(puts)
    assert len(outbox) == len(newest)
    assert outbox.conflated == len(puts) - len(newest)
    messages, count = outbox.take()
    assert count == len(newest)
    if newest:
        (message,) = messages
        assert dict(json.loads(message)["data"]) == newest
