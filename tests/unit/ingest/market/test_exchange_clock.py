"""Exchange time follows the feed, advances between frames, and is never published backwards."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.market.exchange_clock import ExchangeClock
from shared.contracts.messages import FeedState
from tests.support.builders import MONDAY_10_00


def test_there_is_no_time_before_the_first_frame() -> None:
    clock = ExchangeClock()
    assert clock.now_ms(100.0) is None
    assert clock.feed_ms == 0


def test_the_time_is_the_last_timestamp_plus_the_time_since_its_receipt() -> None:
    clock = ExchangeClock()
    clock.receive(MONDAY_10_00, 5.0)
    assert clock.now_ms(5.0) == MONDAY_10_00
    assert clock.now_ms(7.25) == MONDAY_10_00 + 2_250


def test_an_older_timestamp_is_ignored() -> None:
    clock = ExchangeClock()
    clock.receive(MONDAY_10_00, 5.0)
    clock.receive(MONDAY_10_00 - 1, 6.0)
    assert clock.feed_ms == MONDAY_10_00
    assert clock.now_ms(7.0) == MONDAY_10_00 + 2_000


def test_an_equal_timestamp_counts_from_its_own_receipt() -> None:
    clock = ExchangeClock()
    clock.receive(MONDAY_10_00, 5.0)
    clock.receive(MONDAY_10_00, 6.0)
    assert clock.now_ms(7.0) == MONDAY_10_00 + 1_000


@pytest.mark.parametrize("state", [FeedState.LIVE, FeedState.CLOSED])
def test_the_published_time_advances_while_the_feed_flows(state: FeedState) -> None:
    clock = ExchangeClock()
    clock.feed_state = state
    clock.receive(MONDAY_10_00, 5.0)
    assert clock.publish_ms(6.0) == MONDAY_10_00 + 1_000


@pytest.mark.parametrize("state", sorted(set(FeedState) - {FeedState.LIVE, FeedState.CLOSED}))
def test_the_published_time_stands_still_while_the_feed_does_not_flow(state: FeedState) -> None:
    clock = ExchangeClock()
    clock.feed_state = state
    clock.receive(MONDAY_10_00, 5.0)
    assert clock.publish_ms(6.0) == MONDAY_10_00
    assert clock.now_ms(6.0) == MONDAY_10_00 + 1_000


def test_the_published_time_does_not_go_back_when_the_feed_breaks() -> None:
    clock = ExchangeClock()
    clock.feed_state = FeedState.LIVE
    clock.receive(MONDAY_10_00, 5.0)
    assert clock.publish_ms(8.0) == MONDAY_10_00 + 3_000
    clock.feed_state = FeedState.CONNECTING
    assert clock.publish_ms(9.0) == MONDAY_10_00 + 3_000


events = st.lists(
    st.tuples(
        st.floats(0.0, 100.0),
        st.sampled_from(sorted(FeedState)),
        st.none() | st.integers(MONDAY_10_00 - 60_000, MONDAY_10_00 + 60_000),
    ),
    min_size=1,
)


@given(events)
def test_the_published_time_never_goes_back_and_never_lags_the_feed(
    steps: list[tuple[float, FeedState, int | None]],
) -> None:
    clock = ExchangeClock()
    now_secs = 0.0
    published: list[int] = []
    for elapsed_secs, state, feed_ms in steps:
        now_secs += elapsed_secs
        clock.feed_state = state
        if feed_ms is not None:
            clock.receive(feed_ms, now_secs)
        published.append(clock.publish_ms(now_secs))
        assert published[-1] >= clock.feed_ms
    assert all(earlier <= later for earlier, later in pairwise(published))
