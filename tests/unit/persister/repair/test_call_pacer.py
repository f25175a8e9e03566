"""Calls keep to every limit at once."""

from hypothesis import given
from hypothesis import strategies as st

from services.persister.repair.call_pacer import CallLimit, CallPacer

LIMITS = [CallLimit(3, 1.0), CallLimit(5, 10.0)]


def test_calls_within_all_limits_need_not_wait() -> None:
    pace = CallPacer(LIMITS)
    assert [pace.take(at) for at in (0.0, 0.0, 0.0, 1.0, 2.0)] == [0.0] * 5


def test_a_call_too_many_waits_for_the_longest_of_its_limits() -> None:
    pace = CallPacer(LIMITS)
    assert [pace.take(0.0) for _ in range(6)] == [0.0, 0.0, 0.0, 1.0, 1.0, 10.0]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_limit_is_ever_passed(pauses: list[float]) -> None:
    pace = CallPacer(LIMITS)
    now, made = 0.0, []
    for pause in pauses:
        now += pause
        made.append(now + pace.take(now))
    for limit in LIMITS:
        for first, after in zip(made, made[limit.calls :], strict=False):
            assert after - first >= limit.secs - 1e-9
