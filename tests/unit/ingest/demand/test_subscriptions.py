"""What was asked for on a connection, and what was heard of it."""

from services.ingest.demand.limits import Mode
from services.ingest.demand.planning import Method, Request
from services.ingest.demand.subscriptions import Subscriptions

A, B = "NSE_EQ|A", "NSE_EQ|B"


def asked(*keys: str, at_secs: float = 0.0) -> Subscriptions:
    subscriptions = Subscriptions()
    subscriptions.note(Request(Method.SUBSCRIBE, keys, Mode.FULL), at_secs)
    return subscriptions


def test_a_key_is_live_once_it_was_heard_of() -> None:
    subscriptions = asked(A, B)
    assert subscriptions.live == []
    assert subscriptions.heard([A])
    assert not subscriptions.heard([A])
    assert subscriptions.live == [A]


def test_a_key_of_which_nothing_comes_is_unheard_of_for_long() -> None:
    subscriptions = asked(A)
    assert subscriptions.unheard(9.0, for_secs=10.0) == ([A], [])
    assert subscriptions.unheard(10.0, for_secs=10.0) == ([], [A])
    subscriptions.heard([A])
    assert subscriptions.unheard(10.0, for_secs=10.0) == ([], [])


def test_a_change_of_mode_leaves_a_key_live() -> None:
    subscriptions = asked(A)
    subscriptions.heard([A])
    subscriptions.note(Request(Method.CHANGE_MODE, (A,), Mode.FULL_D30), 5.0)
    assert (subscriptions.live, subscriptions.modes) == ([A], {A: Mode.FULL_D30})


def test_what_was_ended_is_neither_live_nor_pending() -> None:
    subscriptions = asked(A, B)
    subscriptions.heard([A])
    subscriptions.note(Request(Method.UNSUBSCRIBE, (A, B), None), 5.0)
    assert (subscriptions.live, subscriptions.modes) == ([], {})
    assert subscriptions.unheard(99.0, for_secs=10.0) == ([], [])
