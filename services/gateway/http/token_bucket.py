"""Concurrency counters and token buckets per owner. Time is an argument."""

from collections import Counter
from collections.abc import Hashable
from typing import Final

_MIN_BUCKETS: Final = 1_000


class KeyedCounter:
    """Counts open resources per owner, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[Hashable] = Counter()

    def acquire(self, owner: Hashable) -> bool:
        """Count one more for `owner`; False if the limit is reached."""
        if self._open[owner] >= self.limit:
            return False
        self._open[owner] += 1
        return True

    def release(self, owner: Hashable) -> None:
        """Count one less for `owner`."""
        self._open[owner] -= 1
        if not self._open[owner]:
            del self._open[owner]


class TokenBucket:
    """A rate limit: `per_sec` tokens a second, at most `burst` at once."""

    __slots__ = ("_burst", "_per_sec", "_tokens", "_updated_at")

    def __init__(self, per_sec: float, burst: float, now: float) -> None:
        self._per_sec = per_sec
        self._burst = burst
        self._tokens = burst
        self._updated_at = now

    def take(self, now: float) -> bool:
        """Take one token; False if there is none."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def charge(self, tokens: float) -> None:
        """Take more tokens for a request that was admitted; the balance may become negative."""
        self._tokens -= tokens

    def available(self, now: float) -> int:
        """Whole tokens that can be taken now."""
        self._fill(now)
        return int(self._tokens)

    def full_in_secs(self, now: float) -> float:
        """Time until the bucket is full; 0 if it is."""
        self._fill(now)
        return (self._burst - self._tokens) / self._per_sec

    def next_in_secs(self, now: float) -> float:
        """Time until one token can be taken; 0 if there is one."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._per_sec)

    def _fill(self, now: float) -> None:
        elapsed_secs = now - self._updated_at
        self._tokens = min(self._burst, self._tokens + elapsed_secs * self._per_sec)
        self._updated_at = now


class KeyedTokenBuckets:
    """One token bucket per owner. Full buckets are removed, so memory is bounded."""

    def __init__(self, per_sec: float, burst: float) -> None:
        self.per_sec = per_sec
        self.burst = burst
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._cleanup_size = 0

    def of(self, owner: Hashable, now: float) -> TokenBucket:
        """The owner's bucket."""
        bucket = self._buckets.get(owner)
        if bucket is None:
            if len(self._buckets) >= self._cleanup_size:
                self._remove_full(now)
            bucket = self._buckets[owner] = TokenBucket(self.per_sec, self.burst, now)
        return bucket

    def _remove_full(self, now: float) -> None:
        self._buckets = {
            owner: bucket for owner, bucket in self._buckets.items() if bucket.full_in_secs(now)
        }
        self._cleanup_size = max(_MIN_BUCKETS, 2 * len(self._buckets))
