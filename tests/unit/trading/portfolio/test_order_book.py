"""Orders and trades of a day."""

from decimal import Decimal

import pytest

from services.trading.journal.entry import OrderChanged
from services.trading.orders import events
from services.trading.portfolio.order_book import OrderBook
from shared.contracts.order_terms import Account, Product, Side
from tests.support.trading_journal import DELIVERY_SHARE, Journal


def book_of(journal: Journal) -> OrderBook:
    book = OrderBook()
    for entry in journal.entries:
        body = entry.body
        assert isinstance(body, OrderChanged)
        book.apply(body.order_id, body.event)
    return book


def test_only_a_new_trade_is_told_as_one() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, Side.BUY, 10)
    book = book_of(journal)
    filled = events.Filled(at_ms=1, trade_id="t", quantity=4, price=Decimal(99), traded_at_ms=1)
    assert [book.apply(order_id, filled) for _ in range(2)] == [True, False]
    assert not book.apply(order_id, events.Sending(at_ms=1))
    trade = book.trade(order_id, "t")
    assert trade is not None
    assert (trade.quantity, trade.price, trade.side) == (4, Decimal(99), Side.BUY)
    assert book.trade(order_id, "other") is None


def test_open_quantities_are_those_of_open_paper_orders_of_the_side() -> None:
    journal = Journal()
    selling = journal.place(DELIVERY_SHARE, Side.SELL, 10)
    journal.fill(selling, 4, 100)
    journal.place(DELIVERY_SHARE, Side.BUY, 7)
    journal.trade(DELIVERY_SHARE, Side.SELL, 5, 100)
    journal.place(None, Side.SELL, 50, account=Account.UPSTOX, key=DELIVERY_SHARE.key)
    book = book_of(journal)
    key, product = DELIVERY_SHARE.key, Product.DELIVERY
    assert book.open_quantity(key, product, Side.SELL) == 6
    assert book.open_quantity(key, product, Side.BUY) == 7
    assert book.open_quantity(key, Product.INTRADAY, Side.SELL) == 0


def test_an_intent_that_names_another_order_is_refused() -> None:
    journal = Journal()
    journal.place(DELIVERY_SHARE, Side.BUY, 10)
    body = journal.entries[0].body
    assert isinstance(body, OrderChanged)
    with pytest.raises(ValueError, match="the event names order o1"):
        OrderBook().apply("o2", body.event)
