"""Delays double up to a limit, are random, and respect Retry-After."""

import pytest

from tradedad_client.backoff import Backoff, parse_retry_after


def longest(lower: float, upper: float) -> float:
    return upper


def test_delays_double_up_to_the_cap_and_start_again_after_a_reset() -> None:
    backoff = Backoff(0.5, 3.0, longest)
    assert [backoff.next_secs() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.next_secs() == 0.5


def test_a_delay_is_drawn_between_a_tenth_and_the_whole_of_its_limit() -> None:
    drawn: list[tuple[float, float]] = []

    def draw(lower: float, upper: float) -> float:
        drawn.append((lower, upper))
        return lower

    Backoff(1.0, 60.0, draw).next_secs()
    assert drawn == [(0.1, 1.0)]


def test_retry_after_is_a_lower_bound_of_at_most_300_seconds() -> None:
    backoff = Backoff(0.5, 3.0, longest)
    assert backoff.next_secs(7.0) == 7.5
    assert backoff.next_secs(-1.0) == 1.0
    assert backoff.next_secs(86_400.0) == 302.0


def test_a_spread_raises_the_limit_of_the_delay() -> None:
    assert Backoff(0.5, 3.0, longest).next_secs(spread_secs=3.0) == 3.0


def test_many_attempts_do_not_overflow() -> None:
    backoff = Backoff(0.5, 20.0, longest)
    assert {backoff.next_secs() for _ in range(2_000)} >= {0.5, 20.0}


@pytest.mark.parametrize(
    ("header", "secs"),
    [("7", 7.0), (" 0 ", 0.0), (None, None), ("soon", None), ("-3", None), ("", None)],
)
def test_a_retry_after_header_is_a_whole_number_of_seconds(
    header: str | None, secs: float | None
) -> None:
    assert parse_retry_after(header) == secs
