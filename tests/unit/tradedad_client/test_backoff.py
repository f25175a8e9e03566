"""Delays grow, are spread over their whole length, and respect what was asked for."""

import pytest

from tradedad_client.backoff import Backoff, retry_after_secs


def longest(least: float, most: float) -> float:
    return most


def test_delays_double_up_to_the_cap_and_start_again_after_a_success() -> None:
    backoff = Backoff(0.5, 3.0, longest)
    assert [backoff.next_secs() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.next_secs() == 0.5


def test_delays_are_drawn_from_their_whole_length() -> None:
    drawn: list[tuple[float, float]] = []

    def draw(least: float, most: float) -> float:
        drawn.append((least, most))
        return least

    Backoff(1.0, 60.0, draw).next_secs()
    assert drawn == [(0.1, 1.0)]


def test_nobody_comes_back_before_the_time_that_was_asked_for() -> None:
    backoff = Backoff(0.5, 3.0, longest)
    assert backoff.next_secs(7.0) == 7.5
    assert backoff.next_secs(-1.0) == 1.0
    assert backoff.next_secs(86_400.0) == 302.0


def test_who_was_sent_away_with_many_spreads_out() -> None:
    assert Backoff(0.5, 3.0, longest).next_secs(spread_secs=3.0) == 3.0


def test_attempts_without_end_do_not_overflow() -> None:
    backoff = Backoff(0.5, 20.0, longest)
    assert {backoff.next_secs() for _ in range(2_000)} >= {0.5, 20.0}


@pytest.mark.parametrize(
    ("header", "secs"),
    [("7", 7.0), (" 0 ", 0.0), (None, None), ("soon", None), ("-3", None), ("", None)],
)
def test_a_retry_after_header_is_a_number_of_seconds(
    header: str | None, secs: float | None
) -> None:
    assert retry_after_secs(header) == secs
