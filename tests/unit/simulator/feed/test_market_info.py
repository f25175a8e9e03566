"""`market_info` contains the phase of each segment and the stages of the auctions."""

from datetime import datetime
from typing import Any

from services.simulator.feed.encode import pb
from services.simulator.feed.market_info import SEGMENTS, market_info, market_phases
from services.simulator.market.simulated_calendar import SimulatedCalendar
from shared.market.exchange_time import IST

EXCHANGE = SimulatedCalendar(always_open=False)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


def info_at(text: str) -> Any:
    message = pb.FeedResponse.FromString(market_info(EXCHANGE, at(text)))
    assert (message.type, message.currentTs) == (pb.market_info, at(text))
    return message.marketInfo


def test_in_an_always_open_market_every_segment_is_open() -> None:
    message = pb.FeedResponse.FromString(market_info(SimulatedCalendar(), 1_767_607_200_000))
    assert dict(message.marketInfo.segmentStatus) == dict.fromkeys(SEGMENTS, pb.NORMAL_OPEN)


def test_segments_have_their_own_hours() -> None:
    status = info_at("2026-11-23T20:00").segmentStatus
    assert (status["NSE_EQ"], status["NSE_FO"], status["MCX_FO"]) == (
        pb.CLOSING_END,
        pb.NORMAL_CLOSE,
        pb.NORMAL_OPEN,
    )


def test_the_pre_open_has_its_status_and_start() -> None:
    info = info_at("2026-11-23T09:05")
    status = info.preOpenSessionStatus["NSE_EQ"]
    assert (status.status, status.updatedTime) == ("PRE_OPEN_START", at("2026-11-23T09:00"))
    status = info_at("2026-11-23T09:12").preOpenSessionStatus["BSE_EQ"]
    assert (status.status, status.updatedTime) == ("PRE_OPEN_END", at("2026-11-23T09:10"))
    assert not info.casMarketStatus


def test_the_closing_auction_exists_from_august_2026_on() -> None:
    status = info_at("2026-11-23T15:21").casMarketStatus["NSE_EQ"]
    assert (status.status, status.updatedTime) == ("CAS_LM_START", at("2026-11-23T15:20"))
    assert info_at("2026-11-23T15:31").casMarketStatus["BSE_EQ"].status == "CAS_STOP"
    assert not info_at("2026-11-23T15:14").casMarketStatus
    assert info_at("2026-08-03T15:21").casMarketStatus
    assert not info_at("2026-07-31T15:21").casMarketStatus


def test_market_phases_change_when_market_info_changes() -> None:
    def phases_at(text: str) -> Any:
        return market_phases(EXCHANGE, at(text))

    assert phases_at("2026-11-23T09:14:59") != phases_at("2026-11-23T09:15")
    assert phases_at("2026-11-23T09:15") == phases_at("2026-11-23T15:14:59")
    assert phases_at("2026-11-23T15:14:59") != phases_at("2026-11-23T15:15")
