"""The `market_info` message: the trading phase of each segment."""

from typing import Final

from services.simulator.feed.encode import pb
from services.simulator.market.simulated_calendar import SimulatedCalendar
from shared.market.exchange_calendar import Phase

SEGMENTS: Final = (
    *("NSE_EQ", "NSE_FO", "NSE_INDEX", "NSE_COM", "NCD_FO"),
    *("BSE_EQ", "BSE_FO", "BSE_INDEX", "BCD_FO", "MCX_FO", "MCX_INDEX"),
)
AUCTION_SEGMENTS: Final = ("NSE_EQ", "BSE_EQ")
_PRE_OPEN: Final = (Phase.PRE_OPEN_START, Phase.PRE_OPEN_END)

MarketPhases = tuple[tuple[Phase, ...], tuple[str | None, ...]]
"""Phases of `SEGMENTS` and closing auction stages of `AUCTION_SEGMENTS`."""


def market_phases(calendar: SimulatedCalendar, now_ms: int) -> MarketPhases:
    """The present phases; when they change, the feed sends another `market_info`."""
    phases = tuple(calendar.phase(segment, now_ms) for segment in SEGMENTS)
    stages = (calendar.closing_auction(segment, now_ms) for segment in AUCTION_SEGMENTS)
    return phases, tuple(stage and stage[0] for stage in stages)


def market_info(calendar: SimulatedCalendar, now_ms: int) -> bytes:
    """The first message of a connection, sent again when a phase changes."""
    message = pb.FeedResponse(type=pb.market_info, currentTs=now_ms)
    info = message.marketInfo
    for segment in SEGMENTS:
        phase = calendar.phase(segment, now_ms)
        info.segmentStatus[segment] = pb.MarketStatus.Value(phase)
    for segment in AUCTION_SEGMENTS:
        phase = calendar.phase(segment, now_ms)
        if phase in _PRE_OPEN:
            status = info.preOpenSessionStatus[segment]
            status.status, status.updatedTime = phase, calendar.phase_since_ms(segment, now_ms)
        stage = calendar.closing_auction(segment, now_ms)
        if stage is not None:
            status = info.casMarketStatus[segment]
            status.status, status.updatedTime = stage
    return bytes(message.SerializeToString(deterministic=True))
