"""Compares the quotes that the stream holds with the number that ingest has published.

A message that JetStream refuses, or that a broken connection loses, leaves no missing position.
Each clock tick has the number of quotes published before it in its epoch, so the next tick that is
stored shows the loss.
"""

import msgspec


class QuoteCount(msgspec.Struct, array_like=True):
    """The quotes of one epoch so far."""

    quotes: int | None = None
    """None if the stream was not read from the beginning of the epoch, until the next tick."""
    checked_ms: int = 0
    """Exchange time of the feed at which the count was last known to be right."""

    def restart(self, feed_ms: int) -> None:
        """An epoch begins."""
        self.quotes = 0
        self.checked_ms = feed_ms

    def forget(self) -> None:
        """An unknown number of entries was lost, which is noted elsewhere."""
        self.quotes = None

    def add(self) -> None:
        """A quote was read."""
        if self.quotes is not None:
            self.quotes += 1

    def check(self, published: int, feed_ms: int) -> tuple[int, int] | None:
        """Compare with a tick. If quotes are missing: their number, and since when (epoch ms)."""
        missing = 0 if self.quotes is None else published - self.quotes
        since_ms = self.checked_ms
        self.quotes = published
        self.checked_ms = max(since_ms, feed_ms)
        return (missing, since_ms) if missing > 0 else None
