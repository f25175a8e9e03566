"""A subscription stores its outcomes and is closed once."""

from tests.support.builders import KEY, OTHER_KEY
from tradedad_client.buffers import FifoBuffer
from tradedad_client.messages import Channel
from tradedad_client.subscription_state import SubscriptionState


def subscription(*keys: str) -> SubscriptionState:
    return SubscriptionState(Channel.QUOTES, keys, FifoBuffer[int](1))


def test_repeated_keys_are_kept_once_in_their_order() -> None:
    assert subscription(OTHER_KEY, KEY, OTHER_KEY).keys == (OTHER_KEY, KEY)


def test_it_is_answered_once_no_request_is_pending() -> None:
    state = subscription(KEY)
    answered = [state.is_answered]
    state.is_requested = True
    state.pending_requests = {1, 2}
    answered.append(state.is_answered)
    state.pending_requests.clear()
    answered.append(state.is_answered)
    state.reset()
    answered.append(state.is_answered)
    assert answered == [False, False, True, False]


def test_outcomes_of_other_keys_are_ignored() -> None:
    state = subscription(KEY)
    state.add_outcomes({KEY: "pending", OTHER_KEY: "live"})
    state.add_outcomes({KEY: "live"})
    assert state.outcomes == {KEY: "live"}


def test_each_message_is_notified_and_a_full_buffer_is_reported() -> None:
    state = subscription(KEY)
    notified: list[bool] = []
    state.on_change = lambda: notified.append(True)
    assert [state.put(1), state.put(2)] == [True, False]
    assert len(notified) == 2


def test_the_first_close_counts_and_buffered_messages_stay() -> None:
    state = subscription(KEY)
    state.put(1)
    error = ValueError("first")
    state.close(error)
    state.close(ValueError("second"))
    assert (state.is_closed, state.error) == (True, error)
    assert state.buffer.take() == 1
