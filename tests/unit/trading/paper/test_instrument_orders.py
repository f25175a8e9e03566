"""The numbered fill rules of docs/trading.md for all users of an instrument, from encoded entries."""

from dataclasses import replace
from typing import Any

import pytest

from services.trading.paper.results import PaperFill
from shared.contracts.messages import FeedState
from shared.contracts.order_terms import Side, Validity
from shared.market.exchange_time import DAY_MS, MINUTE_MS
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.paper_market import PaperMarket, Share, terms

AT_09_00, AT_09_15 = MONDAY_10_00 - 60 * MINUTE_MS, MONDAY_10_00 - 45 * MINUTE_MS
AT_15_14, AT_15_30 = MONDAY_10_00 + 314 * MINUTE_MS, MONDAY_10_00 + 330 * MINUTE_MS


def test_rule_1_an_order_meets_the_first_quote_at_or_after_its_arrival() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101", latency_ms=1_500)
    assert market.quote(ask="50@100") == []
    assert market.quote(ask="50@100") == ["o1 10@100.0"]


def test_rule_1_without_a_new_quote_a_clock_tick_after_the_arrival_is_enough() -> None:
    market = PaperMarket()
    market.quote(ask="50@100")
    market.place(quantity=10, price="101", latency_ms=500)
    assert market.clock(400) == []
    assert market.clock(100) == ["o1 10@100.0"]
    assert market.clock(1_000) == []


def test_rule_1_an_order_larger_than_the_best_level_waits_for_the_order_book() -> None:
    market = PaperMarket()
    market.place(quantity=100)
    assert market.quote(ask="60@100") == []
    assert market.book(asks="60@100 500@100.05") == ["o1 60@100.0", "o1 40@100.05"]


def test_rule_1_an_order_waits_for_the_order_book_for_two_seconds_at_most() -> None:
    market = PaperMarket()
    market.place(quantity=100)
    assert market.quote(ask="60@100", after_ms=5_000) == []
    assert market.clock(1_999) == []
    assert market.clock(1) == ["o1 60@100.0"]


def test_rule_2_an_old_last_trade_is_no_reason_to_wait() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101")
    assert market.quote(ask="50@100.05", ltt=market.now_ms - 40_000) == ["o1 10@100.05"]


@pytest.mark.parametrize("state", [state for state in FeedState if state is not FeedState.LIVE])
def test_rule_2_nothing_is_filled_until_the_feed_is_live_again(state: FeedState) -> None:
    market = PaperMarket()
    market.quote(ask="50@100.05")
    market.clock(state=state)
    market.place(quantity=10, price="101")
    assert market.quote(ask="50@100.05") == []
    assert market.clock(1_000) == ["o1 10@100.05"]


def test_rule_2_a_quote_from_before_an_outage_is_not_matched_by_the_clock() -> None:
    market = PaperMarket()
    market.quote(ask="50@100.05")
    market.clock(1_000, state=FeedState.STALE)
    market.place(quantity=10, price="101")
    assert market.clock(1_000) == []
    assert market.quote(ask="50@100.10", snap=True) == ["o1 10@100.1"]


def test_rule_2_nothing_is_filled_while_the_clock_does_not_advance() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101")
    assert market.quote(ask="50@100.05", after_ms=61_000) == []


def test_rule_3_a_market_order_walks_the_book_to_its_protection_and_rests_there() -> None:
    market = PaperMarket()
    market.place(quantity=200)
    results = market.market(asks="50@100.05 100@100.10 500@101.20")
    assert results == ["o1 50@100.05", "o1 100@100.1"]
    assert market.quote(101, ask="20@101") == ["o1 20@101.00"]


def test_rule_4_a_user_uses_shown_liquidity_once_also_after_the_first_order_is_gone() -> None:
    market = PaperMarket()
    market.place("o1", quantity=40, price="101")
    market.place("o2", quantity=40, price="101")
    market.place("o3", user_id="u2", quantity=40, price="101")
    assert market.market(asks="50@100") == ["o1 40@100.0", "o2 10@100.0", "o3 40@100.0"]
    assert market.market(asks="50@100") == []
    assert market.market(asks="80@100") == ["o2 30@101"]


def test_rule_4_a_used_level_that_leaves_the_shown_levels_is_not_available_again() -> None:
    market = PaperMarket()
    market.place("o1", quantity=50, price="100")
    assert market.market(asks="50@100 10@101") == ["o1 50@100.0"]
    market.market(asks="10@99 10@99.20 10@99.40 10@99.60 10@99.80 50@100")
    market.place("o2", quantity=50, price="100")
    market.place("other", user_id="u2", quantity=50, price="100")
    assert market.market(asks="50@100 10@101") == ["other 50@100.0"]


def test_rule_4_a_crossed_book_does_not_renew_a_used_level() -> None:
    market = PaperMarket()
    market.place("o1", quantity=50, price="100")
    assert market.market(asks="50@100") == ["o1 50@100.0"]
    market.market(bids="5@100.50", asks="50@100")
    market.place("o2", quantity=50, price="100")
    assert market.market(asks="50@100") == []


def test_rule_5_a_marketable_limit_takes_the_prices_of_the_book() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101")
    assert market.quote(ask="50@100.05") == ["o1 10@100.05"]


def test_rule_6_a_resting_order_waits_behind_the_queue_and_fills_when_it_is_traded_through() -> (
    None
):
    market = PaperMarket()
    market.place(price="100")
    assert market.market(bids="300@100", asks="10@100.50") == []
    assert market.market(bids="250@100", asks="10@100.50", ltq=50) == []
    assert market.quote(99.95, bid="10@99.90", ltq=60) == ["o1 60@100"]


def test_rule_6_a_trade_counts_once_though_its_order_book_follows() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="30@100", asks="10@100.50")
    assert market.quote(ltq=50, bid="10@100") == ["o1 20@100"]
    assert market.book(bids="10@100", asks="10@100.50") == []
    assert market.quote(bid="10@100") == []


def test_rule_6_a_snapshot_shows_no_trade() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="30@100", asks="10@100.50")
    assert market.quote(99, bid="5@99", ltq=500, snap=True) == []
    assert market.quote(99, bid="5@99") == []


def test_rule_6_a_volume_that_begins_again_shows_no_trade() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="30@100", asks="10@100.50")
    assert market.quote(99, bid="5@99", volume=500) == []
    assert market.quote(99, bid="5@99", volume=520) == ["o1 20@100"]


def test_rule_6_a_level_beyond_the_shown_ones_is_an_endless_queue_until_it_is_shown() -> None:
    market = PaperMarket()
    market.place(price="98")
    market.market(bids="10@100 10@99.50", asks="10@100.50")
    assert market.market(98, bids="10@98.50 70@98", asks="10@100.50", ltq=500) == []
    assert market.market(98, bids="70@98", asks="10@100.50", ltq=90) == ["o1 20@98"]


def test_rule_7_a_quote_that_crosses_a_resting_limit_fills_the_shown_size_at_the_limit() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="300@100", asks="10@100.50")
    assert market.quote(ask="30@99.90") == ["o1 30@100"]


def test_rule_8_a_stop_fires_once_by_a_trade_after_its_arrival() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95")
    assert market.quote(97, bid="500@96.95") == []
    assert market.quote(95, bid="500@94.95") == ["o1 triggered 94.05", "o1 100@94.95"]


def test_rule_8_a_trade_before_the_arrival_triggers_nothing() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95", latency_ms=500)
    assert market.quote(90, bid="500@90", ltt=market.now_ms) == []


@pytest.mark.parametrize(("minutes", "fires"), [(1, True), (0, False)])
def test_rule_8_a_minute_triggers_only_if_it_began_after_the_arrival(
    minutes: int, fires: bool
) -> None:
    market = PaperMarket()
    market.quote(97, bid="500@96")
    market.place(side=Side.SELL, trigger="95", latency_ms=1)
    market.clock(2 * MINUTE_MS)
    market.quote(97, bid="500@96", ltt=0)
    market.candle(MONDAY_10_00 + minutes * MINUTE_MS, low=94.9, high=97)
    assert market.clock(1_000) == (["o1 triggered 94.05", "o1 100@96.0"] if fires else [])


def test_rule_8_a_modified_trigger_is_not_reached_by_an_earlier_minute() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="94")
    market.clock(MINUTE_MS // 2)
    assert market.broker.modify("u1", "o1", terms(Side.SELL, trigger="95"), 100)
    market.candle(MONDAY_10_00, low=94.5, high=97)
    assert market.quote(97, bid="500@96", after_ms=MINUTE_MS // 2) == []


def test_rule_9_a_stop_loss_market_order_rests_at_its_floor_after_a_gap() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95")
    assert market.quote(93.5, bid="500@93.30") == ["o1 triggered 94.05"]
    assert market.quote(94, bid="500@94.10") == ["o1 100@94.05"]


def test_rule_10_a_stop_limit_order_rests_at_its_limit_after_its_trigger() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95", price="94.50")
    assert market.quote(93, bid="500@92.90") == ["o1 triggered 94.50"]
    assert market.quote(93, bid="20@94.50") == ["o1 20@94.50"]


def test_rule_10_a_modification_does_not_undo_a_trigger() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95", price="94.50")
    market.quote(94.8, bid="500@92.90")
    changed = terms(Side.SELL, 100, price="92.50", trigger="95")
    assert market.broker.modify("u1", "o1", changed, 100)
    assert market.quote(97, bid="500@92.90") == ["o1 100@92.9"]


def test_rule_10_a_limit_order_that_becomes_a_stop_waits_for_its_trigger() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, price="101")
    market.quote(100, bid="500@99.95")
    assert market.broker.modify("u1", "o1", terms(Side.SELL, price="94", trigger="95"), 100)
    assert market.quote(100, bid="500@99.95") == []
    assert market.quote(95, bid="500@94.95") == ["o1 triggered 94", "o1 100@94.95"]


def test_rule_11_what_an_ioc_order_does_not_fill_is_cancelled() -> None:
    market = PaperMarket()
    market.place(price="100.05", validity=Validity.IOC)
    assert market.quote(ask="60@100.05") == ["o1 60@100.05", "o1 lapsed 40"]
    assert market.broker.keys() == set()


def test_rule_11_an_ioc_stop_has_its_one_pass_when_it_is_triggered() -> None:
    market = PaperMarket()
    market.place(side=Side.SELL, trigger="95", validity=Validity.IOC)
    assert market.quote(97, bid="500@96.95") == []
    results = market.quote(95, bid="60@94.95")
    assert results == ["o1 triggered 94.05", "o1 60@94.95", "o1 lapsed 40"]


@pytest.mark.parametrize(
    "prices", [{}, {"bid": "10@100.50", "ask": "50@100"}], ids=["empty side", "crossed book"]
)
def test_rule_12_no_match_against_an_unusable_book(prices: dict[str, Any]) -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101")
    assert market.quote(**prices) == []


def test_rule_12_at_the_upper_circuit_a_buyer_waits_and_a_seller_fills() -> None:
    market = PaperMarket()
    market.place("buy")
    market.place("sell", side=Side.SELL)
    assert market.quote(110, bid="900@110") == ["sell 100@110.0"]


def test_rule_13_outside_continuous_trading_nothing_fills_and_no_stop_is_triggered() -> None:
    market = PaperMarket(start_ms=AT_09_15 - 2_000)
    market.place("limit", quantity=10, price="101")
    market.place("stop", side=Side.SELL, trigger="95")
    assert market.quote(90, bid="500@90", ask="50@100", ltt=AT_09_00 - DAY_MS) == []
    assert market.quote(90, bid="500@90", ask="50@100", ltt=AT_09_00 - DAY_MS) == ["limit 10@100.0"]


@pytest.mark.parametrize(("limit", "expected"), [("251", ["o1 100@250.0"]), ("250", [])])
def test_rule_14_the_opening_auction_fills_limits_strictly_better_than_its_price(
    limit: str, expected: list[str]
) -> None:
    market = PaperMarket(start_ms=AT_09_00)
    market.volume = 0
    market.place(price=limit)
    assert market.quote(250, ltq=1_000, after_ms=11 * MINUTE_MS) == []
    market.clock(AT_09_15 - market.now_ms)
    assert market.quote(252, ltq=10, bid="10@250.50", ask="10@252") == expected


def test_rule_14_without_a_quote_of_the_auction_the_first_trade_of_the_session_counts() -> None:
    market = PaperMarket(start_ms=AT_09_00)
    market.volume = 0
    market.place()
    market.place("stop", trigger="249", price="260")
    market.clock(AT_09_15 - market.now_ms)
    assert market.quote(250, ltq=30)[0] == "o1 30@250.0"


def test_rule_14_an_order_after_the_auctions_order_entry_does_not_take_part() -> None:
    market = PaperMarket(start_ms=AT_09_00 + 10 * MINUTE_MS)
    market.volume = 0
    market.place(price="251")
    market.quote(250, ltq=1_000)
    market.clock(AT_09_15 - market.now_ms)
    assert market.quote(250.5, ask="500@250.50") == ["o1 100@250.5"]


def test_rule_14_the_closing_auction_of_a_share_with_derivatives_fills_at_its_price() -> None:
    market = PaperMarket(start_ms=AT_15_14, share=Share(has_derivatives=True))
    market.place("limit", price="251")
    market.place("stop", side=Side.SELL, trigger="200")
    market.quote(252, bid="10@251.50", ask="10@252")
    assert market.clock(MINUTE_MS) == ["stop expired 100"]
    assert market.quote(250, ask="500@250", ltt=AT_15_14) == []
    market.clock(AT_15_30 - market.now_ms)
    assert market.quote(250, ltq=70) == ["limit 70@250.0"]
    assert market.quote(249, ltq=70) == []
    assert market.clock(5 * MINUTE_MS) == ["limit expired 30"]


@pytest.mark.parametrize(
    ("changes", "remaining", "traded", "expected"),
    [
        ({"price": "100", "quantity": 50}, 50, 210, ["o1 10@100"]),
        ({"price": "100", "quantity": 150}, 150, 210, []),
        ({"price": "100", "quantity": 150}, 150, 310, ["o1 10@100"]),
        ({"price": "99.95", "quantity": 100}, 100, 310, []),
    ],
    ids=["less quantity", "more quantity", "more quantity, back of the queue", "another price"],
)
def test_rule_15_only_less_quantity_keeps_the_place_in_the_queue(
    changes: dict[str, Any], remaining: int, traded: int, expected: list[str]
) -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="300@100 80@99.95", asks="10@101")
    market.market(bids="300@100 80@99.95", asks="10@101", ltq=100)
    assert market.broker.modify("u1", "o1", terms(**changes), remaining)
    market.market(bids="300@100 80@99.95", asks="10@101")
    assert market.market(bids="300@100 80@99.95", asks="10@101", ltq=traded) == expected


def test_rule_15_a_modification_that_can_be_filled_at_once_takes_the_prices_of_the_book() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="99")
    market.market(bids="300@99", asks="50@100.05")
    assert market.broker.modify("u1", "o1", terms(quantity=10, price="101"), 10)
    assert market.clock(1_000) == ["o1 10@100.05"]


def test_rule_16_trades_of_one_quote_have_different_ids() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="30@100", asks="10@101")
    assert market.quote(99, ask="30@99.90", ltq=20) == ["o1 20@100", "o1 30@100"]
    ids = {found.result.trade_id for found in market.results if isinstance(found.result, PaperFill)}
    assert market.book(asks="50@99.90") == ["o1 20@100"]
    ids |= {
        found.result.trade_id for found in market.results if isinstance(found.result, PaperFill)
    }
    assert len(ids) == 3


def test_fills_of_different_users_keep_the_order_of_their_first_orders() -> None:
    market = PaperMarket()
    market.place("b1", user_id="b", quantity=1, price="99")
    market.place("a1", user_id="a", quantity=1, price="101")
    market.place("b2", user_id="b", quantity=1, price="101")
    assert market.quote(ask="50@100") == ["b2 1@100.0", "a1 1@100.0"]


def test_day_orders_expire_at_the_end_of_the_session_in_which_they_arrived() -> None:
    market = PaperMarket(start_ms=AT_15_30 - MINUTE_MS)
    market.place(price="99")
    market.quote(100, bid="5@99.50")
    market.place("late", price="99", latency_ms=MINUTE_MS)
    assert market.clock(MINUTE_MS - 1_001) == []
    assert market.clock(1) == ["o1 expired 100", "late expired 100"]
    assert market.broker.keys() == set()


def test_a_fill_carries_the_quote_that_it_was_made_from() -> None:
    market = PaperMarket()
    market.place(quantity=10, price="101")
    market.quote(ask="50@100")
    (found,) = market.results
    assert isinstance(found.result, PaperFill)
    assert replace(found.result.quote, is_news=False) == market.broker.quote(KEY)
