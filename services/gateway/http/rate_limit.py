"""Rate limits of HTTP requests per user or address, with their response headers.

The headers follow draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` states the
rule, `RateLimit` the client's remaining quota.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass

from services.gateway.http.token_bucket import KeyedTokenBuckets
from shared.errors import RateLimited


@dataclass(frozen=True, slots=True)
class RemainingQuota:
    """The state of one owner's quota after a request."""

    policy: str
    quota: int
    window_secs: int
    remaining: int
    full_in_secs: int

    def headers(self) -> dict[str, str]:
        """The two response headers."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window_secs}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.full_in_secs}',
        }


class RateLimiter:
    """One rule for many owners: `per_sec` requests a second, `burst` at once."""

    def __init__(self, policy: str, per_sec: float, burst: int) -> None:
        self._policy = policy
        self._burst = burst
        self._window_secs = max(1, math.ceil(burst / per_sec))
        self._buckets = KeyedTokenBuckets(per_sec, burst)

    def take(self, owner: Hashable, now: float) -> bool:
        """Count one request; False if it exceeds the quota."""
        return self._buckets.of(owner, now).take(now)

    def remaining(self, owner: Hashable, now: float) -> RemainingQuota:
        """The owner's remaining quota."""
        bucket = self._buckets.of(owner, now)
        full_in_secs = math.ceil(bucket.full_in_secs(now))
        return RemainingQuota(
            self._policy, self._burst, self._window_secs, bucket.available(now), full_in_secs
        )

    def error(self, owner: Hashable, now: float) -> RateLimited:
        """The error for an owner without remaining quota."""
        retry_secs = max(1, math.ceil(self._buckets.of(owner, now).next_in_secs(now)))
        detail = f"at most {self._burst} requests in {self._window_secs} s"
        return RateLimited(detail, retry_after_secs=retry_secs)
