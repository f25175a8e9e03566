"""How many requests one may send, and how a client is told.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` says what
the rule is, `RateLimit` where the client stands.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass

from services.gateway.http.token_bucket import KeyedTokenBuckets
from shared.errors import RateLimited


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where somebody stands after a request."""

    policy: str
    quota: int
    window_secs: int
    left: int
    full_in_secs: int

    def headers(self) -> dict[str, str]:
        """For the answer."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window_secs}',
            "RateLimit": f'"{self.policy}";r={self.left};t={self.full_in_secs}',
        }


class RateLimiter:
    """One rule for many owners: so many requests a second, and a burst of so many."""

    def __init__(self, policy: str, per_sec: float, burst: int) -> None:
        self._policy = policy
        self._burst = burst
        self._window_secs = max(1, math.ceil(burst / per_sec))
        self._rates = KeyedTokenBuckets(per_sec, burst)

    def spend(self, owner: Hashable, now: float) -> bool:
        """Count one request at `now`; False if that is one too many."""
        return self._rates.of(owner, now).take(now)

    def allowance(self, owner: Hashable, now: float) -> Allowance:
        """Where the owner stands."""
        bucket = self._rates.of(owner, now)
        full_in_secs = math.ceil(bucket.full_in_secs(now))
        return Allowance(
            self._policy, self._burst, self._window_secs, bucket.left(now), full_in_secs
        )

    def refusal(self, owner: Hashable, now: float) -> RateLimited:
        """What to tell an owner who has nothing left."""
        wait_secs = max(1, math.ceil(self._rates.of(owner, now).one_in_secs(now)))
        detail = f"at most {self._burst} requests in {self._window_secs} s"
        return RateLimited(detail, retry_after_secs=wait_secs)
