"""Which segments trade and how long the feed has been silent, across connections of one term.

PURE: time is an argument (monotonic seconds, and epoch ms of exchange time).
"""

from collections.abc import Mapping
from typing import Final

from shared.market.exchange_calendar import Calendar, Phase

SEGMENTS: Final = (
    "NSE_EQ", "NSE_INDEX", "NSE_FO", "NCD_FO", "NSE_COM",
    "BSE_EQ", "BSE_INDEX", "BSE_FO", "BCD_FO",
    "MCX_FO",
)  # fmt: skip
"""Upstox's segments with their own hours; clients may demand any other text as a segment."""
_OPEN_STATUS_SECS: Final = 3_600.0
"""How long a reported open market counts after the last frame: a special session that the
calendar does not know must not count as closed when the feed fails in it."""


class FeedFlow:
    """The market status that the feed has reported, and the time of its last frame."""

    def __init__(self, calendar: Calendar, now_secs: float) -> None:
        self._calendar = calendar
        self._status: dict[str, str] = {}
        self._frame_at_secs = now_secs
        self._silent_since_secs = now_secs

    def frame_received(self, now_secs: float) -> None:
        """A frame was received."""
        self._frame_at_secs = self._silent_since_secs = now_secs

    def update(self, status: Mapping[str, str]) -> None:
        """Record the market status of segments, by Upstox's names."""
        self._status |= {segment: status[segment] for segment in SEGMENTS if segment in status}

    def is_open(self, segment: str, now_ms: int, now_secs: float, *, is_flowing: bool) -> bool:
        """Whether trades of the segment are expected; `is_flowing` while the feed sends data.

        While the feed flows, its status counts, if it has sent one. Otherwise the calendar counts,
        or the last status if that was open and is recent.
        """
        status = self._status.get(segment)
        is_recent = is_flowing or now_secs - self._frame_at_secs <= _OPEN_STATUS_SECS
        if status == Phase.NORMAL_OPEN and is_recent:
            return True
        if status is not None and is_flowing:
            return False
        return self._calendar.is_open(segment, now_ms)

    def silence_secs(self, now_secs: float, *, is_expected: bool) -> float:
        """The time without a frame while trades are expected; it restarts when they are not."""
        if not is_expected:
            self._silent_since_secs = max(self._silent_since_secs, now_secs)
        return now_secs - self._silent_since_secs
