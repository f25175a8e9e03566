"""Rate limits of HTTP requests and their response headers."""

from services.gateway.http.rate_limit import RateLimiter
from shared.errors import Code


def test_the_headers_state_the_policy_and_the_remaining_quota() -> None:
    limiter = RateLimiter("user", per_sec=2, burst=10)
    assert limiter.take("ann", 100.0)
    assert limiter.remaining("ann", 100.0).headers() == {
        "RateLimit-Policy": '"user";q=10;w=5',
        "RateLimit": '"user";r=9;t=1',
    }


def test_a_refused_request_is_accepted_after_the_retry_time() -> None:
    limiter = RateLimiter("user", per_sec=0.25, burst=2)
    assert [limiter.take("ann", 0.0) for _ in range(3)] == [True, True, False]
    error = limiter.error("ann", 1.0)
    assert (error.code, error.retry_after_secs) == (Code.RATE_LIMITED, 3)
    assert error.detail == "at most 2 requests in 8 s"
    assert limiter.remaining("ann", 1.0).remaining == 0
    assert not limiter.take("ann", 3.9)
    assert limiter.take("ann", 4.0)


def test_owners_do_not_share_a_quota() -> None:
    limiter = RateLimiter("user", per_sec=1, burst=1)
    assert limiter.take("ann", 0.0)
    assert not limiter.take("ann", 0.0)
    assert limiter.take("ben", 0.0)


def test_the_full_quota_returns_with_time() -> None:
    limiter = RateLimiter("user", per_sec=1, burst=5)
    for _ in range(5):
        limiter.take("ann", 0.0)
    quota = limiter.remaining("ann", 5.0)
    assert (quota.remaining, quota.full_in_secs) == (5, 0)
