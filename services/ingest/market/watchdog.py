"""Timeout for a connection that delivers no frames.

PURE: time is an argument (monotonic seconds).
"""

from typing import Final

_MAX_TIMEOUT_SECS: Final = 120.0


class Watchdog:
    """Decides when a silent connection is stalled. Its timeout adapts from one to the next.

    A connection that answers pings can still be stalled. But a short list of rarely traded
    instruments can be silent for minutes without a fault. So each timeout doubles the next
    one, up to 120 s. The timeout returns to its initial value when a snapshot after a
    reconnect has new trades, which shows that the silence was a stall.
    """

    def __init__(self, initial_timeout_secs: float) -> None:
        self._initial_timeout_secs = initial_timeout_secs
        self.timeout_secs = initial_timeout_secs
        self.silent_since_secs = 0.0
        """When silence began: at the last frame, the connect, or the last idle moment."""
        self._awaits_evidence = False
        """Whether the next snapshot decides if the last timeout was justified."""

    def connected(self, now_secs: float) -> None:
        """A new connection is open."""
        self.silent_since_secs = now_secs

    def frame_received(self, now_secs: float) -> None:
        """A frame was received."""
        self.silent_since_secs = now_secs

    def snapshot_received(self, *, has_new_trades: bool) -> None:
        """A snapshot was received; `has_new_trades` if its trades had not been received before."""
        if self._awaits_evidence and has_new_trades:
            self.timeout_secs = self._initial_timeout_secs
        self._awaits_evidence = False

    def check(self, now_secs: float) -> bool:
        """Whether the connection has timed out. True doubles the next timeout.

        Call it only while trades are expected.
        """
        if now_secs - self.silent_since_secs <= self.timeout_secs:
            return False
        self.timeout_secs = min(_MAX_TIMEOUT_SECS, 2 * self.timeout_secs)
        self._awaits_evidence = True
        return True

    def idle(self, now_secs: float) -> None:
        """No trades are expected now: restart the silence, with the initial timeout."""
        self.silent_since_secs = max(self.silent_since_secs, now_secs)
        self.timeout_secs = self._initial_timeout_secs
