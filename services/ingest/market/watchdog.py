"""Decides when a feed that says nothing has said nothing for too long.

PURE: time is an argument (monotonic seconds).

An open socket that answers pings may still have stopped telling (stalled). But a short
list of quiet instruments is silent for minutes, and nothing is wrong. So the patience
learns: whoever comes after a connection that was given up is given twice the time, unless
its snapshot shows that something was missed.
"""

from typing import Final

_LONGEST_SECS: Final = 120.0


class Watchdog:
    """Heard of every frame; asked, now and then, whether it is time to reconnect."""

    def __init__(self, silent_secs: float) -> None:
        self._shortest_secs = silent_secs
        self.patience_secs = silent_secs
        self.last_secs = 0.0
        """When something was heard last."""
        self._in_doubt = False
        """Whether a connection was given up, and nobody knows yet if it had hidden something."""

    def connected(self, now_secs: float) -> None:
        """A new connection: its silence begins now."""
        self.last_secs = now_secs

    def heard(self, now_secs: float) -> None:
        """A frame came."""
        self.last_secs = now_secs

    def snapshot(self, *, is_newer: bool) -> None:
        """A snapshot came; `is_newer` if it told what we had not heard."""
        if self._in_doubt and is_newer:
            self.patience_secs = self._shortest_secs
        self._in_doubt = False

    def is_silent(self, now_secs: float) -> bool:
        """Whether the connection is to be given up; to be asked while trades are expected."""
        if now_secs - self.last_secs <= self.patience_secs:
            return False
        self.patience_secs = min(_LONGEST_SECS, 2 * self.patience_secs)
        self._in_doubt = True
        return True

    def idle(self, now_secs: float) -> None:
        """Nothing is expected: silence begins when that changes, with the first patience."""
        self.last_secs = max(self.last_secs, now_secs)
        self.patience_secs = self._shortest_secs
