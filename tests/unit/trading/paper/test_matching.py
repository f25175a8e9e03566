"""The numbered fill rules of the paper broker, each with its example."""

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.paper.auctions import AuctionTrade
from services.trading.paper.market import Candle, Level, Quote
from services.trading.paper.matching import Matcher
from services.trading.paper.resting_order import RestingOrder
from services.trading.paper.results import Lapsed, PaperFill, Result, Triggered
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)

NUMBERS = count(1)


def terms(
    side: Side = Side.BUY,
    quantity: int = 100,
    price: str | None = None,
    trigger: str | None = None,
    validity: Validity = Validity.DAY,
) -> Terms:
    if trigger is None:
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
    else:
        kind = OrderType.SL_M if price is None else OrderType.SL
    prices = Prices(
        quantity=quantity,
        order_type=kind,
        validity=validity,
        price=None if price is None else Decimal(price),
        trigger_price=None if trigger is None else Decimal(trigger),
    )
    return Terms(
        account=Account.PAPER, key="NSE_EQ|X", side=side, product=Product.INTRADAY, prices=prices
    )


def order(order_id: str = "o1", *, arrival_ms: int = 0, **more: Any) -> RestingOrder:
    wanted = terms(**more)
    return RestingOrder(
        order_id=order_id,
        terms=wanted,
        arrival_ms=arrival_ms,
        tick=Decimal("0.05"),
        protection_percent=Decimal(1),
        remaining=wanted.prices.quantity,
    )


def levels(text: str) -> tuple[Level, ...]:
    """``50@100.05 100@100.10`` as levels."""
    parts = [part.split("@") for part in text.split()]
    return tuple(Level(Decimal(price), int(quantity)) for quantity, price in parts)


def quote(ltp: str = "100", *, bids: str = "", asks: str = "", **more: Any) -> Quote:
    seq = next(NUMBERS)
    fields: dict[str, Any] = {
        "ts_ms": seq, "epoch": 1, "seq": seq, "ltt_ms": seq, "ltq": 0, "volume": 1_000,
    }  # fmt: skip
    return Quote(ltp=Decimal(ltp), bids=levels(bids), asks=levels(asks), **(fields | more))


def fills(results: list[Result]) -> list[str]:
    return [f"{r.quantity}@{r.price}" for r in results if isinstance(r, PaperFill)]


def matcher(*orders: RestingOrder) -> Matcher:
    result = Matcher()
    for placed in orders:
        result.place(placed)
    return result


def test_rule_1_an_order_meets_the_first_quote_at_or_after_its_arrival() -> None:
    book = matcher(order(price="101", arrival_ms=10**9))
    assert book.on_quote(quote(asks="100@100")) == []
    assert fills(book.on_quote(quote(asks="100@100", ts_ms=10**9))) == ["100@100"]


def test_rule_2_an_old_last_trade_is_no_reason_to_wait() -> None:
    book = matcher(order(quantity=10, price="101"))
    assert fills(book.on_quote(quote(asks="50@100.05", ltt_ms=-40_000))) == ["10@100.05"]


def test_rule_2_nothing_is_filled_while_the_feed_is_stale() -> None:
    book = matcher(order(quantity=10, price="101"))
    assert book.on_quote(quote(asks="50@100.05", is_tradable=False)) == []


def test_rule_3_a_market_order_walks_the_book_to_its_protection_and_rests_there() -> None:
    book = matcher(order(quantity=200))
    results = book.on_quote(quote(asks="50@100.05 100@100.10 500@101.20"))
    assert fills(results) == ["50@100.05", "100@100.10"]
    value = sum((r.price * r.quantity for r in results if isinstance(r, PaperFill)), Decimal(0))
    assert (value / 150).quantize(Decimal("0.0001")) == Decimal("100.0833")
    assert (book.orders["o1"].remaining, book.orders["o1"].limit) == (50, Decimal(101))


def test_rule_4_a_user_uses_shown_liquidity_once() -> None:
    book = matcher(order("o1", quantity=40, price="101"), order("o2", quantity=40, price="101"))
    assert fills(book.on_quote(quote(asks="50@100"))) == ["40@100", "10@100"]
    assert fills(book.on_quote(quote(asks="50@100"))) == []
    assert fills(book.on_quote(quote(asks="80@100"))) == ["30@101"]


def test_rule_5_a_marketable_limit_takes_the_prices_of_the_book() -> None:
    book = matcher(order(quantity=10, price="101"))
    assert fills(book.on_quote(quote(asks="50@100.05"))) == ["10@100.05"]


def test_rule_6_a_resting_order_waits_behind_the_queue_and_fills_when_it_is_traded_through() -> (
    None
):
    book = matcher(order(price="100"))
    assert book.on_quote(quote(bids="300@100", asks="10@100.50")) == []
    assert book.on_quote(quote("100", bids="250@100", ltq=50, volume=1_050)) == []
    assert book.orders["o1"].queue == 250
    through = quote("99.95", bids="10@99.90", ltq=60, volume=1_110)
    assert fills(book.on_quote(through)) == ["60@100"]


def test_rule_6_a_trade_larger_than_the_queue_fills_the_rest() -> None:
    book = matcher(order(price="100"))
    book.on_quote(quote(bids="30@100", asks="10@100.50"))
    assert fills(book.on_quote(quote("100", bids="10@100", ltq=50, volume=1_050))) == ["20@100"]


def test_rule_6_a_level_that_is_not_shown_counts_as_an_endless_queue_until_it_is() -> None:
    book = matcher(order(price="98"))
    book.on_quote(quote(bids="10@100 10@99.50", asks="10@100.50"))
    assert book.orders["o1"].queue is None
    book.on_quote(quote("98", bids="10@98.50 70@98", ltq=500, volume=1_500))
    assert book.orders["o1"].remaining == 100
    assert [order.queue for order in book.orders.values()] == [70]


def test_rule_6_two_orders_share_the_traded_quantity() -> None:
    book = matcher(order("o1", price="100"), order("o2", price="100"))
    book.on_quote(quote(bids="5@100", asks="10@101"))
    through = quote("99.95", bids="10@99", ltq=60, volume=1_150)
    assert fills(book.on_quote(through)) == ["100@100", "50@100"]


def test_rule_7_a_quote_that_crosses_a_resting_limit_fills_the_shown_size_at_the_limit() -> None:
    book = matcher(order(price="100"))
    book.on_quote(quote(bids="300@100", asks="10@100.50"))
    assert fills(book.on_quote(quote(asks="30@99.90"))) == ["30@100"]


def test_rule_8_a_stop_fires_once_by_a_trade_after_its_arrival() -> None:
    book = matcher(order(side=Side.SELL, trigger="95"))
    assert book.on_quote(quote("97", bids="500@96.95")) == []
    results = book.on_quote(quote("95", bids="500@94.95"))
    assert results[0] == Triggered("o1", Decimal("94.05"))
    assert fills(results) == ["100@94.95"]


def test_rule_8_a_trade_before_the_arrival_triggers_nothing() -> None:
    book = matcher(order(side=Side.SELL, trigger="95", arrival_ms=10**9))
    late = quote("90", bids="500@90", ts_ms=10**9 + 1, ltt_ms=10**9 - 1)
    assert book.on_quote(late) == []


@pytest.mark.parametrize(("start_ms", "fires"), [(10**9, True), (10**9 - 60_000, False)])
def test_rule_8_a_minute_triggers_only_if_it_began_after_the_arrival(
    start_ms: int, fires: bool
) -> None:
    book = matcher(order(side=Side.SELL, trigger="95", arrival_ms=10**9))
    book.on_candle(Candle(start_ms, high=Decimal(97), low=Decimal("94.90")))
    results = book.on_quote(quote("97", bids="500@96", ts_ms=10**9 + 60_000, ltt_ms=0))
    assert fills(results) == (["100@96"] if fires else [])


def test_rule_9_a_stop_loss_market_order_rests_at_its_floor_after_a_gap() -> None:
    book = matcher(order(side=Side.SELL, trigger="95"))
    results = book.on_quote(quote("93.50", bids="500@93.30"))
    assert results == [Triggered("o1", Decimal("94.05"))]
    assert book.orders["o1"].remaining == 100


def test_rule_10_a_stop_limit_order_rests_at_its_limit_after_its_trigger() -> None:
    book = matcher(order(side=Side.SELL, trigger="95", price="94.50"))
    assert book.on_quote(quote("93", bids="500@92.90")) == [Triggered("o1", Decimal("94.50"))]
    assert fills(book.on_quote(quote("93", bids="20@94.50"))) == ["20@94.50"]


def test_rule_11_what_an_ioc_order_does_not_fill_is_cancelled() -> None:
    book = matcher(order(price="100.05", validity=Validity.IOC))
    results = book.on_quote(quote(asks="60@100.05"))
    assert fills(results) == ["60@100.05"]
    assert results[-1] == Lapsed("o1", 40)
    assert book.orders == {}


@pytest.mark.parametrize(
    "state",
    [
        {"asks": ""},
        {"bids": "10@100.50", "asks": "50@100"},
        {"asks": "50@100", "lower_band": Decimal(101)},
    ],
    ids=["empty side", "crossed book", "outside the band"],
)
def test_rule_12_no_match_against_an_unusable_book(state: dict[str, Any]) -> None:
    book = matcher(order(price="101"))
    assert book.on_quote(quote(**state)) == []


def test_rule_12_at_the_upper_circuit_a_buyer_waits_and_a_seller_fills() -> None:
    book = matcher(order("buy"), order("sell", side=Side.SELL))
    results = book.on_quote(quote("110", bids="900@110", upper_band=Decimal(110)))
    assert [(r.order_id, r.price) for r in results if isinstance(r, PaperFill)] == [
        ("sell", Decimal(110))
    ]


def test_rule_13_a_halt_keeps_orders_and_fires_no_stop() -> None:
    book = matcher(order("stop", side=Side.SELL, trigger="95"))
    assert book.on_quote(quote("90", bids="500@90", is_tradable=False)) == []
    assert "stop" in book.orders


@pytest.mark.parametrize(("limit", "expected"), [("251", ["100@250"]), ("250", [])])
def test_rule_14_an_auction_fills_limits_strictly_better_than_its_price(
    limit: str, expected: list[str]
) -> None:
    book = matcher(order(price=limit))
    assert fills(book.on_auction(quote(), AuctionTrade(Decimal(250), 1_000, 1))) == expected


def test_rule_14_an_auction_fills_at_most_its_matched_quantity() -> None:
    book = matcher(order("o1", price="251"), order("o2", price="252"))
    assert fills(book.on_auction(quote(), AuctionTrade(Decimal(250), 130, 1))) == [
        "100@250",
        "30@250",
    ]


@pytest.mark.parametrize(
    ("changes", "remaining", "queue"),
    [
        ({"price": "100", "quantity": 50}, 50, 200),
        ({"price": "100", "quantity": 150}, 150, 300),
        ({"price": "99.95", "quantity": 100}, 100, 80),
    ],
    ids=["less quantity", "more quantity", "another price"],
)
def test_rule_15_only_less_quantity_keeps_the_place_in_the_queue(
    changes: dict[str, Any], remaining: int, queue: int
) -> None:
    book = matcher(order(price="100"))
    book.on_quote(quote(bids="300@100 80@99.95", asks="10@101"))
    book.on_quote(quote("100", bids="300@100 80@99.95", asks="10@101", ltq=100, volume=1_100))
    assert book.orders["o1"].queue == 200
    assert book.modify("o1", terms(**changes), remaining, 0)
    book.on_quote(quote("100", bids="300@100 80@99.95", asks="10@101", volume=1_100))
    assert (book.orders["o1"].remaining, book.orders["o1"].queue) == (remaining, queue)


def test_a_cancelled_order_returns_what_was_not_filled() -> None:
    book = matcher(order(price="101"))
    book.on_quote(quote(asks="60@100"))
    assert (book.cancel("o1"), book.cancel("o1")) == (40, 0)


PRICE = st.integers(1_980, 2_020).map(lambda ticks: Decimal(ticks) * Decimal("0.05"))


@st.composite
def days(draw: st.DrawFn) -> list[Quote]:
    quotes = []
    volume = 0
    for number in range(1, draw(st.integers(1, 12)) + 1):
        ltq = draw(st.integers(0, 200))
        volume += ltq
        side = st.lists(st.tuples(PRICE, st.integers(0, 300)), max_size=5, unique_by=lambda x: x[0])
        bids = sorted(draw(side), reverse=True)
        asks = sorted(draw(side))
        quotes.append(
            Quote(
                ts_ms=number, epoch=1, seq=number, ltp=draw(PRICE), ltt_ms=number, ltq=ltq,
                volume=volume, bids=tuple(Level(*level) for level in bids),
                asks=tuple(Level(*level) for level in asks), is_tradable=draw(st.booleans()),
            )
        )  # fmt: skip
    return quotes


@given(days(), st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 300), PRICE), max_size=4))
def test_rule_16_replay_gives_the_same_trades_and_none_is_beyond_its_limit(
    quotes: list[Quote], wanted: list[tuple[Side, int, Decimal]]
) -> None:
    def run() -> list[Result]:
        book = matcher(
            *(
                order(f"o{number}", side=side, quantity=quantity, price=str(price))
                for number, (side, quantity, price) in enumerate(wanted)
            )
        )
        return [result for quote in quotes for result in book.on_quote(quote)]

    results = run()
    assert results == run()
    trades = [result for result in results if isinstance(result, PaperFill)]
    assert len({trade.trade_id for trade in trades}) == len(trades)
    for number, (side, quantity, limit) in enumerate(wanted):
        own = [trade for trade in trades if trade.order_id == f"o{number}"]
        assert sum(trade.quantity for trade in own) <= quantity
        for trade in own:
            assert trade.quantity > 0
            assert trade.quote.is_tradable
            assert trade.price <= limit if side is Side.BUY else trade.price >= limit
