"""Detects that nothing moves the market on: no clock tick comes, or none can be used. Pure.

The market moves on by clock ticks: they say whether the feed is live, and end sessions. The leader
of ingest publishes one at least each second, at night as well. Times of quotes may go back a
little, so they tell nothing here.
"""

from dataclasses import dataclass
from typing import Final

from shared.market.exchange_time import to_datetime

STALLED_AFTER_SECS: Final = 10.0
_SILENCE_SECS: Final = 10.0
"""After a longer time without entries, refusals before it do not count any more."""
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


@dataclass(slots=True)
class Progress:
    """Result of a market view for the entries so far."""

    used_ticks: int = 0
    """Clock ticks of the epoch and the time that were reached, or later ones."""
    refused: int = 0
    """Entries that cannot be decoded or are of an older epoch, and clock ticks of an earlier time."""
    reason: str = ""
    """Why the last of them was refused, with both values."""

    def refuse_undecodable(self, kind: str) -> None:
        """Note an entry that is not what its subject says."""
        self.refused += 1
        self.reason = f"entries of the kind {kind} cannot be decoded, or have impossible values"

    def refuse_epoch(self, epoch: int, reached_epoch: int) -> None:
        """Note an entry of an older epoch than the view has seen."""
        self.refused += 1
        self.reason = (
            f"entries have epoch {epoch}, older than {reached_epoch} that the paper broker has "
            "seen: NATS' data was put back, or a superseded ingest leader publishes"
        )

    def refuse_time(self, time_ms: int, reached_ms: int) -> None:
        """Note a clock tick of an earlier time than the view has reached."""
        self.refused += 1
        self.reason = (
            f"clock ticks are of {_text(time_ms)} UTC, before {_text(reached_ms)} UTC that the "
            "paper broker has reached: a clock was wrong, or a simulated market ran faster than time"
        )


class ProgressMonitor:
    """Watches the entries of one term. All moments are monotonic seconds."""

    def __init__(self, progress: Progress, *, silence_secs: float) -> None:
        self._progress = progress
        self._silence_secs = silence_secs
        self._used_ticks = progress.used_ticks
        self._refused = progress.refused
        self._refused_since_secs = 0.0
        self._refused_at_secs: float | None = None
        """When an entry was last refused; None after a clock tick was used."""
        self._reason = ""
        self._used_at_secs: float | None = None
        """When a clock tick was last used, or the term began."""
        self.is_silent = False
        """Whether no clock tick was used for `silence_secs`, for whatever reason."""

    def check(self, now_secs: float) -> str:
        """The reason why no clock tick could be used for 10 s while entries came; else empty.

        It stays until a clock tick is used. A time without entries is no stall, and does not count
        towards one.
        """
        progress = self._progress
        has_refused = progress.refused != self._refused
        self._refused = progress.refused
        if progress.used_ticks != self._used_ticks or self._used_at_secs is None:
            self._used_at_secs = now_secs
        self.is_silent = now_secs - self._used_at_secs >= self._silence_secs
        if progress.used_ticks != self._used_ticks:
            self._used_ticks = progress.used_ticks
            self._refused_at_secs, self._reason = None, ""
        elif has_refused and not self._reason:
            last_secs = self._refused_at_secs
            if last_secs is None or now_secs - last_secs > _SILENCE_SECS:
                self._refused_since_secs = now_secs
            self._refused_at_secs = now_secs
            if now_secs - self._refused_since_secs >= STALLED_AFTER_SECS:
                self._reason = progress.reason
        return self._reason


def _text(time_ms: int) -> str:
    return to_datetime(time_ms).strftime(_TIME_FORMAT)
