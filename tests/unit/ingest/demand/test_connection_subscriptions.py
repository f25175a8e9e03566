"""A connection's subscriptions, and which of them have received data."""

from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.demand.limits import Mode
from services.ingest.demand.subscription_requests import Method, SubscriptionRequest

A, B = "NSE_EQ|A", "NSE_EQ|B"


def subscribed(*keys: str, at_secs: float = 0.0) -> ConnectionSubscriptions:
    subscriptions = ConnectionSubscriptions()
    subscriptions.sent(SubscriptionRequest(Method.SUBSCRIBE, keys, Mode.FULL), at_secs)
    return subscriptions


def test_only_the_first_data_of_a_key_is_reported() -> None:
    subscriptions = subscribed(A, B)
    assert subscriptions.received([A])
    assert not subscriptions.received([A])
    assert subscriptions.without_data(1.0, unknown_after_secs=10.0) == ([B], [])


def test_a_key_without_data_is_pending_and_then_unknown() -> None:
    subscriptions = subscribed(A)
    assert subscriptions.without_data(9.0, unknown_after_secs=10.0) == ([A], [])
    assert subscriptions.without_data(10.0, unknown_after_secs=10.0) == ([], [A])
    subscriptions.received([A])
    assert subscriptions.without_data(10.0, unknown_after_secs=10.0) == ([], [])


def test_a_change_of_mode_does_not_make_a_key_pending() -> None:
    subscriptions = subscribed(A)
    subscriptions.received([A])
    subscriptions.sent(SubscriptionRequest(Method.CHANGE_MODE, (A,), Mode.FULL_D30), 5.0)
    assert subscriptions.modes == {A: Mode.FULL_D30}
    assert subscriptions.without_data(99.0, unknown_after_secs=10.0) == ([], [])


def test_an_unsubscribed_key_is_neither_subscribed_nor_pending() -> None:
    subscriptions = subscribed(A, B)
    subscriptions.received([A])
    subscriptions.sent(SubscriptionRequest(Method.UNSUBSCRIBE, (A, B), None), 5.0)
    assert subscriptions.modes == {}
    assert subscriptions.without_data(99.0, unknown_after_secs=10.0) == ([], [])


def test_data_of_a_key_that_was_not_subscribed_is_ignored() -> None:
    subscriptions = subscribed(A)
    assert not subscriptions.received([B])


def test_a_key_without_data_is_subscribed_again_with_growing_pauses() -> None:
    subscriptions = subscribed(A, B)
    subscriptions.received([B])
    sent = []
    for now_secs in range(3_000):
        for request in subscriptions.due_again(float(now_secs), unknown_after_secs=10.0):
            assert request == SubscriptionRequest(Method.SUBSCRIBE, (A,), Mode.FULL)
            sent.append(now_secs)
    assert sent[:5] == [10, 30, 70, 150, 310]
    assert sent[-1] - sent[-2] == 600
    assert subscriptions.without_data(3_000.0, unknown_after_secs=10.0) == ([], [A])
    subscriptions.received([A])
    assert subscriptions.due_again(9_999.0, unknown_after_secs=10.0) == []
