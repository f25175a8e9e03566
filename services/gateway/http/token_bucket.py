"""How much one may have: counts of what is open, and rates of what is asked."""

from collections import Counter
from collections.abc import Hashable


class KeyedCounter:
    """How many each owner has open, up to a limit."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: Counter[Hashable] = Counter()

    def take(self, owner: Hashable) -> bool:
        """One more for `owner`; False if it has as many as it may."""
        if self._open[owner] >= self.most:
            return False
        self._open[owner] += 1
        return True

    def give_back(self, owner: Hashable) -> None:
        """One less."""
        self._open[owner] -= 1
        if not self._open[owner]:
            del self._open[owner]


class TokenBucket:
    """A rate: `per_sec` on average, `burst` at once. Time is what the caller says."""

    __slots__ = ("_at", "_burst", "_left", "_per_sec")

    def __init__(self, per_sec: float, burst: float, now: float) -> None:
        self._per_sec = per_sec
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> bool:
        """One more; False if that is too many."""
        self._fill(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def charge(self, cost: float) -> None:
        """What was let in last took more than one; it may leave a debt."""
        self._left -= cost

    def left(self, now: float) -> int:
        """How many more there may be at once."""
        self._fill(now)
        return int(self._left)

    def full_in_secs(self, now: float) -> float:
        """When the whole burst is there again."""
        self._fill(now)
        return (self._burst - self._left) / self._per_sec

    def one_in_secs(self, now: float) -> float:
        """When the next one may come; 0 if at once."""
        self._fill(now)
        return max(0.0, (1 - self._left) / self._per_sec)

    def _fill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._per_sec)
        self._at = now


class KeyedTokenBuckets:
    """A bucket for each owner; those that are full again are forgotten."""

    def __init__(self, per_sec: float, burst: float) -> None:
        self.per_sec = per_sec
        self.burst = burst
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._forget_at = 0

    def of(self, owner: Hashable, now: float) -> TokenBucket:
        """The owner's bucket."""
        bucket = self._buckets.get(owner)
        if bucket is None:
            if len(self._buckets) >= self._forget_at:
                self._forget(now)
            bucket = self._buckets[owner] = TokenBucket(self.per_sec, self.burst, now)
        return bucket

    def _forget(self, now: float) -> None:
        self._buckets = {
            owner: bucket for owner, bucket in self._buckets.items() if bucket.full_in_secs(now)
        }
        self._forget_at = max(1_000, 2 * len(self._buckets))
