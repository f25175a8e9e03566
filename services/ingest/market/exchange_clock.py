"""Exchange time between two frames of the feed.

PURE: time is an argument (monotonic seconds).
"""

from typing import Final

from shared.contracts.messages import FeedState

# In these states a feed without frames is quiet, not broken.
_ADVANCING: Final = frozenset({FeedState.LIVE, FeedState.CLOSED})


class ExchangeClock:
    """Exchange time during one term: the feed's last timestamp and the time since its receipt.

    All results are epoch ms.
    """

    def __init__(self) -> None:
        self.feed_state = FeedState.CONNECTING
        """The published time advances between frames only while the feed is live or closed."""
        self._feed_ms = 0
        self._received_secs = 0.0
        self._published_ms = 0

    @property
    def feed_ms(self) -> int:
        """The latest timestamp of the feed; 0 before the first."""
        return self._feed_ms

    def receive(self, feed_ms: int, now_secs: float) -> None:
        """Set the time to a frame's timestamp; an older one than the last is ignored."""
        if feed_ms >= self._feed_ms:
            self._feed_ms = feed_ms
            self._received_secs = now_secs

    def now_ms(self, now_secs: float) -> int | None:
        """The estimated exchange time, whatever the feed's state; None before the first frame."""
        return self._feed_ms + self._elapsed_ms(now_secs) if self._feed_ms else None

    def publish_ms(self, now_secs: float) -> int:
        """The exchange time to publish; never lower than an earlier result."""
        now_ms = self._feed_ms
        if self.feed_state in _ADVANCING:
            now_ms += self._elapsed_ms(now_secs)
        self._published_ms = max(self._published_ms, now_ms)
        return self._published_ms

    def _elapsed_ms(self, now_secs: float) -> int:
        return int((now_secs - self._received_secs) * 1_000)
