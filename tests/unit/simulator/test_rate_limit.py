"""So many calls fit into each window, and no more."""

from services.simulator.rate_limit import CallLimits, RateLimit

LIMITS = CallLimits(per_second=3, per_minute=5, per_half_hour=7)


def passed(times: list[float]) -> list[bool]:
    limit = RateLimit()
    return [limit.allow("a", LIMITS, now) for now in times]


def test_a_second_holds_three() -> None:
    assert passed([0.0, 0.1, 0.2, 0.3, 0.99, 1.0]) == [True, True, True, False, False, True]


def test_a_minute_holds_five() -> None:
    times = [float(second) for second in range(7)] + [60.0]
    assert passed(times) == [True] * 5 + [False, False, True]


def test_half_an_hour_holds_seven() -> None:
    times = [60.0 * minute for minute in range(8)] + [1_800.0]
    assert passed(times) == [True] * 7 + [False, True]


def test_each_caller_has_windows_of_its_own() -> None:
    limit = RateLimit()
    for _ in range(3):
        assert limit.allow("a", LIMITS, 0.0)
    assert not limit.allow("a", LIMITS, 0.0)
    assert limit.allow("b", LIMITS, 0.0)
