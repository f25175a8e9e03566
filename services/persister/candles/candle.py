"""A candle of Upstox's answers, and the lengths of candles."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from shared.market.exchange_time import MINUTE_MS

SETTLED_MS: Final = 6 * 60 * MINUTE_MS
"""Time after the end of a day from which its candles are taken for complete."""


class CandleLength(StrEnum):
    """The length of a candle, as unit and interval in the paths of Upstox's calls."""

    MINUTE = "minutes/1"
    THREE_MINUTES = "minutes/3"
    FIVE_MINUTES = "minutes/5"
    HALF_HOUR = "minutes/30"
    DAY = "days/1"


@dataclass(frozen=True, slots=True)
class UpstoxCandle:
    """One candle of Upstox's answer; prices in rupees."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int
    is_valid: bool = True

    @classmethod
    def invalid(cls, start_ms: int) -> Self:
        """A candle of which only the time is known."""
        return cls(start_ms, 0.0, 0.0, 0.0, 0.0, volume=0, oi=0, is_valid=False)
