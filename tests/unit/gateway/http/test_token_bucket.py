"""Counts and rates let in what they say, and forget who asks for nothing."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.http.token_bucket import KeyedCounter, TokenBucket


def test_a_count_lets_in_as_many_of_each_as_it_says() -> None:
    count = KeyedCounter(2)
    assert [count.take("a") for _ in range(3)] == [True, True, False]
    assert count.take("b")
    count.give_back("a")
    assert count.take("a")


def test_a_count_forgets_who_has_nothing_open() -> None:
    count = KeyedCounter(2)
    count.take("a")
    count.give_back("a")
    assert count._open == {}


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_a_bucket_never_lets_in_more_than_its_burst_and_rate(pauses: list[float]) -> None:
    bucket = TokenBucket(per_sec=3, burst=5, now=0.0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= 5 + 3 * now + 1e-6


def test_a_bucket_fills_up_again() -> None:
    bucket = TokenBucket(per_sec=0.1, burst=2, now=0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert not bucket.take(9.0)
    assert bucket.take(10.1)
