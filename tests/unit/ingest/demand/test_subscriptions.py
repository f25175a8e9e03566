"""What was asked for on a connection, and what was heard of it."""

from services.ingest.demand.limits import Mode
from services.ingest.demand.planning import Method, Request
from services.ingest.demand.subscriptions import ConnectionSubscriptions

A, B = "NSE_EQ|A", "NSE_EQ|B"


def asked(*keys: str, at_secs: float = 0.0) -> ConnectionSubscriptions:
    subscriptions = ConnectionSubscriptions()
    subscriptions.note(Request(Method.SUBSCRIBE, keys, Mode.FULL), at_secs)
    return subscriptions


def test_the_first_word_of_a_key_is_news() -> None:
    subscriptions = asked(A, B)
    assert subscriptions.heard([A])
    assert not subscriptions.heard([A])
    assert subscriptions.unheard(1.0, for_secs=10.0) == ([B], [])


def test_a_key_of_which_nothing_comes_is_unheard_of_for_long() -> None:
    subscriptions = asked(A)
    assert subscriptions.unheard(9.0, for_secs=10.0) == ([A], [])
    assert subscriptions.unheard(10.0, for_secs=10.0) == ([], [A])
    subscriptions.heard([A])
    assert subscriptions.unheard(10.0, for_secs=10.0) == ([], [])


def test_a_change_of_mode_is_no_new_subscription() -> None:
    subscriptions = asked(A)
    subscriptions.heard([A])
    subscriptions.note(Request(Method.CHANGE_MODE, (A,), Mode.FULL_D30), 5.0)
    assert subscriptions.modes == {A: Mode.FULL_D30}
    assert subscriptions.unheard(99.0, for_secs=10.0) == ([], [])


def test_what_was_ended_is_subscribed_and_pending_no_more() -> None:
    subscriptions = asked(A, B)
    subscriptions.heard([A])
    subscriptions.note(Request(Method.UNSUBSCRIBE, (A, B), None), 5.0)
    assert subscriptions.modes == {}
    assert subscriptions.unheard(99.0, for_secs=10.0) == ([], [])
