"""The market_info message: in which phase each segment is.

PURE: no sockets.
"""

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

Statuses = tuple[tuple[Phase, ...], tuple[str | None, ...]]


def statuses(calendar: SimulatedCalendar, now_ms: int) -> Statuses:
    """What a change of calls for another market_info."""
    phases = tuple(calendar.phase(segment, now_ms) for segment in SEGMENTS)
    stages = (calendar.closing_auction(segment, now_ms) for segment in AUCTION_SEGMENTS)
    return phases, tuple(stage and stage[0] for stage in stages)


def market_info(calendar: SimulatedCalendar, now_ms: int) -> bytes:
    """The first message on a connection, and the one at every change of a phase."""
    message = pb.FeedResponse(type=pb.market_info, currentTs=now_ms)
    info = message.marketInfo
    for segment in SEGMENTS:
        phase = calendar.phase(segment, now_ms)
        info.segmentStatus[segment] = pb.MarketStatus.Value(phase)
    for segment in AUCTION_SEGMENTS:
        phase = calendar.phase(segment, now_ms)
        if phase in _PRE_OPEN:
            told = info.preOpenSessionStatus[segment]
            told.status, told.updatedTime = phase, calendar.phase_since_ms(segment, now_ms)
        stage = calendar.closing_auction(segment, now_ms)
        if stage is not None:
            told = info.casMarketStatus[segment]
            told.status, told.updatedTime = stage
    return bytes(message.SerializeToString(deterministic=True))
