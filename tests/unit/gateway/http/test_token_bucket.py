"""Concurrency counters and token buckets per owner."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.http.token_bucket import KeyedCounter, KeyedTokenBuckets, TokenBucket


def test_a_counter_admits_its_limit_for_each_owner() -> None:
    counter = KeyedCounter(2)
    assert [counter.acquire("a") for _ in range(3)] == [True, True, False]
    assert counter.acquire("b")
    counter.release("a")
    assert counter.acquire("a")


def test_a_counter_forgets_owners_without_open_resources() -> None:
    counter = KeyedCounter(2)
    counter.acquire("a")
    counter.release("a")
    assert counter._open == {}


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_a_bucket_never_admits_more_than_its_burst_and_rate(pauses: list[float]) -> None:
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


def test_a_charge_delays_the_next_token() -> None:
    bucket = TokenBucket(per_sec=1, burst=2, now=0.0)
    assert bucket.take(0.0)
    bucket.charge(3)
    assert bucket.available(0.0) == -2
    assert bucket.next_in_secs(0.0) == 3
    assert not bucket.take(2.9)
    assert bucket.take(3.0)


def test_full_buckets_are_removed() -> None:
    buckets = KeyedTokenBuckets(per_sec=1, burst=1)
    for number in range(1_000):
        buckets.of(number, 0.0).take(0.0)
    buckets.of("late", 10.0)
    assert len(buckets._buckets) == 1
