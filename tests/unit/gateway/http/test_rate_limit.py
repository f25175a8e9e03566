from services.gateway.http.rate_limit import RateLimiter
from shared.errors import Code


def test_the_headers_say_the_rule_and_what_is_left() -> None:
    meter = RateLimiter("user", per_sec=2, burst=10)
    assert meter.spend("ann", 100.0)
    assert meter.allowance("ann", 100.0).headers() == {
        "RateLimit-Policy": '"user";q=10;w=5',
        "RateLimit": '"user";r=9;t=1',
    }


def test_one_too_many_is_told_when_to_come_back_and_then_let_in() -> None:
    meter = RateLimiter("user", per_sec=0.25, burst=2)
    assert [meter.spend("ann", 0.0) for _ in range(3)] == [True, True, False]
    refusal = meter.refusal("ann", 1.0)
    assert (refusal.code, refusal.retry_after_secs) == (Code.RATE_LIMITED, 3)
    assert refusal.detail == "at most 2 requests in 8 s"
    assert meter.allowance("ann", 1.0).left == 0
    assert not meter.spend("ann", 3.9)
    assert meter.spend("ann", 4.0)


def test_one_owner_costs_no_other() -> None:
    meter = RateLimiter("user", per_sec=1, burst=1)
    assert meter.spend("ann", 0.0)
    assert not meter.spend("ann", 0.0)
    assert meter.spend("ben", 0.0)


def test_who_waits_long_enough_has_all_again() -> None:
    meter = RateLimiter("user", per_sec=1, burst=5)
    for _ in range(5):
        meter.spend("ann", 0.0)
    allowance = meter.allowance("ann", 5.0)
    assert (allowance.left, allowance.full_in_secs) == (5, 0)
