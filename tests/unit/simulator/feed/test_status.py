"""market_info tells the phase of every segment, and of the auctions."""

from datetime import datetime
from typing import Any

from services.simulator.feed.encode import pb
from services.simulator.feed.status import SEGMENTS, market_info, statuses
from services.simulator.market.simulated_calendar import SimulatedCalendar
from shared.market.exchange_time import IST

EXCHANGE = SimulatedCalendar()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


def info_at(text: str) -> Any:
    message = pb.FeedResponse.FromString(market_info(EXCHANGE, at(text)))
    assert (message.type, message.currentTs) == (pb.market_info, at(text))
    return message.marketInfo


def test_always_open_market_opens_every_segment() -> None:
    message = pb.FeedResponse.FromString(market_info(SimulatedCalendar(), 1_767_607_200_000))
    assert dict(message.marketInfo.segmentStatus) == dict.fromkeys(SEGMENTS, pb.NORMAL_OPEN)


def test_segments_have_hours_of_their_own() -> None:
    status = info_at("2026-11-23T20:00").segmentStatus
    assert (status["NSE_EQ"], status["NSE_FO"], status["MCX_FO"]) == (
        pb.CLOSING_END,
        pb.NORMAL_CLOSE,
        pb.NORMAL_OPEN,
    )


def test_pre_open_session_is_told_with_its_beginning() -> None:
    info = info_at("2026-11-23T09:05")
    told = info.preOpenSessionStatus["NSE_EQ"]
    assert (told.status, told.updatedTime) == ("PRE_OPEN_START", at("2026-11-23T09:00"))
    told = info_at("2026-11-23T09:10").preOpenSessionStatus["BSE_EQ"]
    assert (told.status, told.updatedTime) == ("PRE_OPEN_END", at("2026-11-23T09:08"))
    assert not info.casMarketStatus


def test_closing_auction_is_told_from_august_2026_on() -> None:
    told = info_at("2026-11-23T15:21").casMarketStatus["NSE_EQ"]
    assert (told.status, told.updatedTime) == ("CAS_LM_START", at("2026-11-23T15:20"))
    assert info_at("2026-11-23T15:31").casMarketStatus["BSE_EQ"].status == "CAS_STOP"
    assert not info_at("2026-11-23T15:14").casMarketStatus
    assert info_at("2026-08-03T15:21").casMarketStatus
    assert not info_at("2026-07-31T15:21").casMarketStatus


def test_statuses_change_exactly_when_market_info_would() -> None:
    def told(text: str) -> Any:
        return statuses(EXCHANGE, at(text))

    assert told("2026-11-23T09:14:59") != told("2026-11-23T09:15")
    assert told("2026-11-23T09:15") == told("2026-11-23T15:14:59")
    assert told("2026-11-23T15:14:59") != told("2026-11-23T15:15")
