"""A call pacer holds several limits at once."""

from hypothesis import given
from hypothesis import strategies as st

from services.persister.candles.call_pacer import CallLimit, CallPacer

LIMITS = [CallLimit(3, 1.0), CallLimit(5, 10.0)]


def test_a_call_within_all_limits_does_not_wait() -> None:
    pacer = CallPacer(LIMITS)
    assert [pacer.reserve(at) for at in (0.0, 0.0, 0.0, 1.0, 2.0)] == [0.0] * 5


def test_a_call_above_a_limit_waits_for_the_limit_that_ends_last() -> None:
    pacer = CallPacer(LIMITS)
    assert [pacer.reserve(0.0) for _ in range(6)] == [0.0, 0.0, 0.0, 1.0, 1.0, 10.0]


def test_a_reserved_call_counts_from_the_time_for_which_it_is_reserved() -> None:
    pacer = CallPacer([CallLimit(1, 1.0)])
    assert [pacer.reserve(at) for at in (0.0, 0.0, 0.5, 2.5)] == [0.0, 1.0, 1.5, 0.5]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_limit_is_ever_exceeded(pauses: list[float]) -> None:
    pacer = CallPacer(LIMITS)
    now, calls = 0.0, []
    for pause in pauses:
        now += pause
        calls.append(now + pacer.reserve(now))
    for limit in LIMITS:
        for first, after in zip(calls, calls[limit.calls :], strict=False):
            assert after - first >= limit.secs - 1e-9


def test_the_delay_of_the_next_call_is_known_without_reserving_it() -> None:
    pacer = CallPacer([CallLimit(1, 1.0)])
    assert [pacer.delay_secs(0.0), pacer.delay_secs(0.0)] == [0.0, 0.0]
    pacer.reserve(0.0)
    assert [pacer.delay_secs(0.25), pacer.reserve(0.25)] == [0.75, 0.75]
