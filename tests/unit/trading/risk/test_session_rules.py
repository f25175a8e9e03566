"""Rules by the session and the feed, through the day of a share and of its closing auction."""

import msgspec
import pytest

from services.trading.orders.instrument import OrderInstrument
from services.trading.risk import session_rules
from shared.contracts.order_terms import OrderType, Validity
from shared.market.exchange_calendar import Phase
from tests.support.proposals import FUTURE, SHARE, at, proposal

AUCTION_SHARE = msgspec.structs.replace(SHARE, has_derivatives=True)


@pytest.mark.parametrize(
    ("instrument", "time", "passed"),
    [
        (SHARE, "08:59:59", False),
        (SHARE, "09:00:01", True),
        (SHARE, "09:12:00", False),  # matching of the pre-open
        (SHARE, "09:15:00", True),
        (SHARE, "15:29:59", True),
        (SHARE, "15:30:00", False),
        (AUCTION_SHARE, "15:14:59", True),
        (AUCTION_SHARE, "15:15:00", False),  # until the closing auction begins
        (AUCTION_SHARE, "15:19:59", False),
        (AUCTION_SHARE, "15:20:00", True),
        (AUCTION_SHARE, "15:27:59", True),
        (AUCTION_SHARE, "15:28:00", False),  # the entry of the auction ends
        (AUCTION_SHARE, "15:30:00", False),
        (FUTURE, "09:14:59", False),
        (FUTURE, "15:39:59", True),
        (FUTURE, "15:40:00", False),
    ],
)
def test_orders_are_accepted_while_the_segment_is_open(
    instrument: OrderInstrument, time: str, passed: bool
) -> None:
    assert session_rules.segment_open(proposal(instrument, at(time))).passed is passed


def test_the_refusal_outside_a_session_names_the_phase() -> None:
    result = session_rules.segment_open(proposal(FUTURE, at("20:00")))
    assert result.detail == "NSE_FO is not open: its phase is NORMAL_CLOSE"


@pytest.mark.parametrize(
    ("instrument", "time", "takes_market"),
    [
        (SHARE, "09:04:59", True),
        (SHARE, "09:05:00", False),
        (AUCTION_SHARE, "15:24:59", True),
        (AUCTION_SHARE, "15:25:00", False),
    ],
)
def test_an_auction_takes_market_orders_in_its_first_five_minutes(
    instrument: OrderInstrument, time: str, takes_market: bool
) -> None:
    market = proposal(instrument, at(time), order_type=OrderType.MARKET)
    assert session_rules.auction(market).passed is takes_market
    assert session_rules.auction(proposal(instrument, at(time))).passed


@pytest.mark.parametrize(("instrument", "time"), [(SHARE, "09:04:00"), (AUCTION_SHARE, "15:21:00")])
def test_an_auction_takes_no_stop_orders_and_no_ioc_orders(
    instrument: OrderInstrument, time: str
) -> None:
    for changes in ({"order_type": OrderType.SL}, {"validity": Validity.IOC}):
        assert not session_rules.auction(proposal(instrument, at(time), **changes)).passed
    triggered = proposal(instrument, at(time), order_type=OrderType.SL, is_triggered=True)
    assert session_rules.auction(triggered).passed


def test_shares_without_derivatives_have_no_closing_auction() -> None:
    order = proposal(SHARE, at("15:21:00"), validity=Validity.IOC)
    assert session_rules.auction(order).passed


def test_shares_had_no_closing_auction_before_its_introduction() -> None:
    before, after = at("15:16", "2026-07-31"), at("15:16", "2026-08-03")
    assert session_rules.segment_open(proposal(AUCTION_SHARE, before)).passed
    assert not session_rules.segment_open(proposal(AUCTION_SHARE, after)).passed


def test_a_session_that_ends_at_another_time_has_no_closing_auction() -> None:
    session = (at("18:00"), at("19:00"))
    order = proposal(AUCTION_SHARE, at("18:50"), session=session, phase=Phase.NORMAL_OPEN)
    assert not session_rules.is_auction(order)


def test_orders_need_a_live_feed() -> None:
    assert session_rules.feed_live(proposal()).passed
    result = session_rules.feed_live(proposal(is_live=False))
    assert not result.passed
    assert (result.limit, result.value) == ("live", "not live")
