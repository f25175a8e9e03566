"""Deliveries: bought, T1, held, sold, and the money of each step."""

from decimal import Decimal

from shared.contracts.order_terms import Product, Side
from tests.support.trading_journal import (
    DELIVERY_SHARE,
    INDEX_FUTURE,
    OPENING_CASH,
    Journal,
    ltp_of,
    no_ltp,
    with_holding,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
BUY, SELL = Side.BUY, Side.SELL
KEY = DELIVERY_SHARE.key


def test_a_delivery_buy_is_blocked_today_then_t1_then_held() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, BUY, 100, 500)
    account = journal.account
    funds = account.funds(no_ltp)
    assert (funds.cash, funds.position_margin) == (OPENING_CASH, Decimal(50_000))
    assert funds.available == OPENING_CASH - 50_000 - Decimal("82.98")
    assert account.holdings(no_ltp).holdings == []

    journal.end_day()
    (holding,) = account.holdings(ltp_of(505)).holdings
    assert (holding.quantity, holding.t1_quantity) == (0, 100)
    assert (holding.average_price, holding.ltp) == (Decimal(500), Decimal(505))
    assert account.positions(no_ltp).positions == []
    assert account.funds(no_ltp).available == funds.available

    journal.end_day()
    (holding,) = account.holdings(no_ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (100, 0)
    assert account.funds(no_ltp).available == funds.available


def test_four_fifths_of_a_sale_from_the_demat_account_can_be_used_on_its_day() -> None:
    journal = with_holding(100)
    cash = journal.account.funds(no_ltp).cash
    journal.trade(DELIVERY_SHARE, SELL, 100, 520)
    funds = journal.account.funds(no_ltp)
    assert funds.cash == cash + Decimal(41_600)
    assert funds.position_margin == funds.realised == funds.unrealised == 0
    assert funds.available == cash + 41_600 - Decimal("99.37")

    journal.end_day()
    assert journal.account.funds(no_ltp).available == cash + 52_000 - Decimal("99.37")
    assert journal.account.holdings(no_ltp).holdings == []


def test_the_proceeds_of_t1_shares_can_be_used_from_the_next_day() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, BUY, 100, 500)
    journal.end_day()
    cash = journal.account.funds(no_ltp).cash
    journal.trade(DELIVERY_SHARE, SELL, 100, 520)
    assert journal.account.funds(no_ltp).cash == cash
    journal.end_day()
    assert journal.account.funds(no_ltp).cash == cash + 52_000 - Decimal("99.37")


def test_shares_that_are_sold_and_bought_back_stay_in_the_holding() -> None:
    journal = with_holding(100)
    cash = journal.account.funds(no_ltp).cash
    journal.trade(DELIVERY_SHARE, SELL, 100, 520)
    journal.trade(DELIVERY_SHARE, BUY, 100, 510)
    funds = journal.account.funds(no_ltp)
    assert (funds.cash, funds.realised) == (cash, Decimal(1_000))
    assert funds.position_margin == 0
    journal.end_day()
    (holding,) = journal.account.holdings(no_ltp).holdings
    assert (holding.quantity, holding.average_price) == (100, Decimal(500))


def test_a_delivery_sale_that_no_holding_covers_is_carried_and_blocks_its_value() -> None:
    journal = with_holding(100)
    cash = journal.account.funds(no_ltp).cash
    journal.trade(DELIVERY_SHARE, SELL, 150, 520)
    account = journal.account
    assert account.funds(no_ltp).position_margin == 50 * 520
    assert account.funds(ltp_of(530)).unrealised == -500
    charges = account.charges()
    journal.end_day()
    position = account.position_view(KEY, DELIVERY, no_ltp)
    assert position is not None
    assert (position.quantity, position.average_price) == (-50, Decimal(520))
    assert account.funds(no_ltp).cash == cash + 52_000 - charges
    assert account.closable(KEY, DELIVERY) == -50
    journal.trade(DELIVERY_SHARE, BUY, 50, 510)
    assert account.funds(no_ltp).realised == 500
    journal.end_day()
    assert account.positions(no_ltp).positions == []
    assert account.holdings(no_ltp).holdings == []


def test_mtf_shares_become_holdings_and_a_sale_of_mtf_uses_no_holding() -> None:
    journal = with_holding(100)
    journal.trade(DELIVERY_SHARE, BUY, 10, 500, MTF)
    assert journal.account.closable(KEY, MTF) == 10
    journal.end_day()
    (holding,) = journal.account.holdings(no_ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (100, 10)
    assert journal.account.closable(KEY, MTF) == 0


def test_derivatives_are_carried_and_their_day_begins_again() -> None:
    journal = Journal()
    journal.trade(INDEX_FUTURE, BUY, 130, 24_800)
    journal.trade(INDEX_FUTURE, SELL, 65, 24_900)
    charges = journal.account.charges()
    journal.end_day()
    account = journal.account
    (position,) = account.positions(ltp_of(25_000)).positions
    assert (position.quantity, position.buy_quantity) == (65, 0)
    assert position.realised == 0
    assert position.unrealised == 65 * 200
    funds = account.funds(no_ltp)
    assert funds.cash == OPENING_CASH + 6_500 - charges
    assert funds.charges == funds.realised == 0
    assert funds.unrealised is None
