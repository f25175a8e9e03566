"""Delays grow exponentially to the cap, and are spread by jitter."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.backoff import Backoff


def delays_of(backoff: Backoff, attempts: int) -> list[float]:
    return [backoff.next_secs() for _ in range(attempts)]


def test_the_longest_delay_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base_secs=0.5, cap_secs=3.0, uniform=lambda _, high: high)
    assert delays_of(backoff, 5) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_the_shortest_delay_is_a_tenth_of_the_longest() -> None:
    backoff = Backoff(base_secs=1.0, cap_secs=4.0, uniform=lambda low, _: low)
    assert delays_of(backoff, 4) == [0.1, 0.2, 0.4, 0.4]


def test_a_reset_starts_again_from_the_shortest_delay() -> None:
    backoff = Backoff(base_secs=0.5, cap_secs=30.0, uniform=lambda _, high: high)
    delays_of(backoff, 4)
    assert backoff.attempt == 4
    backoff.reset()
    assert delays_of(backoff, 2) == [0.5, 1.0]


@given(
    st.floats(min_value=0.001, max_value=10),
    st.floats(min_value=0.001, max_value=100),
    st.integers(min_value=1, max_value=60),
)
def test_every_delay_is_positive_and_within_the_cap(
    base_secs: float, cap_secs: float, attempts: int
) -> None:
    backoff = Backoff(base_secs, cap_secs)
    for attempt in range(attempts):
        assert 0 < backoff.next_secs() <= min(cap_secs, base_secs * 2**attempt)


def test_the_delay_stays_at_the_cap_after_a_million_attempts() -> None:
    backoff = Backoff(cap_secs=10.0, uniform=lambda _, high: high)
    backoff.attempt = 1_000_000
    assert backoff.next_secs() == 10.0


def test_the_delays_of_many_clients_are_spread() -> None:
    delays = sorted(Backoff(base_secs=1.0).next_secs() for _ in range(200))
    assert delays[0] < 0.3
    assert delays[-1] > 0.8
    assert max(b - a for a, b in itertools.pairwise(delays)) < 0.2
