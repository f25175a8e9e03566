"""Each window allows its maximum number of requests."""

from services.simulator.access.rate_limit import RateLimits, SlidingWindowLimiter

LIMITS = RateLimits(per_second=3, per_minute=5, per_half_hour=7)


def allowed(times: list[float]) -> list[bool]:
    limiter = SlidingWindowLimiter()
    return [limiter.allow("a", LIMITS, now) for now in times]


def test_three_requests_are_allowed_in_a_second() -> None:
    assert allowed([0.0, 0.1, 0.2, 0.3, 0.99, 1.0]) == [True, True, True, False, False, True]


def test_five_requests_are_allowed_in_a_minute() -> None:
    times = [float(second) for second in range(7)] + [60.0]
    assert allowed(times) == [True] * 5 + [False, False, True]


def test_seven_requests_are_allowed_in_half_an_hour() -> None:
    times = [60.0 * minute for minute in range(8)] + [1_800.0]
    assert allowed(times) == [True] * 7 + [False, True]


def test_each_caller_has_its_own_windows() -> None:
    limiter = SlidingWindowLimiter()
    for _ in range(3):
        assert limiter.allow("a", LIMITS, 0.0)
    assert not limiter.allow("a", LIMITS, 0.0)
    assert limiter.allow("b", LIMITS, 0.0)
